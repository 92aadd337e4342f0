import { type Attributes, attributesKey, noAttributes } from './attributes.ts';

/** What produces telemetry, after OpenTelemetry's Resource. */
export interface Resource {
  readonly attributes: Attributes;
  readonly schemaUrl: string;
}

export const emptyResource: Resource = Object.freeze({ attributes: noAttributes, schemaUrl: '' });

/** Equal for equal resources, and for no others. */
export function resourceKey(resource: Resource): string {
  return `${resource.schemaUrl.length}:${resource.schemaUrl}${attributesKey(resource.attributes)}`;
}
