import { type Attributes, attributesKey, noAttributes } from './attributes.ts';

/** The library or component that made the measurements, after OpenTelemetry's InstrumentationScope. */
export interface InstrumentationScope {
  readonly name: string;
  readonly version: string;
  readonly attributes: Attributes;
  readonly schemaUrl: string;
}

export const emptyScope: InstrumentationScope = Object.freeze({
  name: '',
  version: '',
  attributes: noAttributes,
  schemaUrl: '',
});

/** Equal for equal scopes, and for no others. */
export function scopeKey(scope: InstrumentationScope): string {
  const { name, version, schemaUrl } = scope;
  return `${name.length}:${name}${version.length}:${version}${schemaUrl.length}:${schemaUrl}${attributesKey(scope.attributes)}`;
}
