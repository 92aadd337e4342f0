import type { InstrumentationScope } from '../model/scope.ts';
import { escapeLabelValue, labelName, labelsText } from './label-text.ts';

const own = new Set(['otel_scope_name', 'otel_scope_version', 'otel_scope_schema_url']);

/**
 * The labels that tell one instrumentation scope's samples from another's: `otel_scope_name`, `otel_scope_version`,
 * `otel_scope_schema_url` and `otel_scope_KEY` for its attributes, each with a comma before it, without those that are empty.
 */
export function scopeLabels(scope: InstrumentationScope): string {
  let out = '';
  if (scope.name !== '') out += `,otel_scope_name="${escapeLabelValue(scope.name)}"`;
  if (scope.version !== '') out += `,otel_scope_version="${escapeLabelValue(scope.version)}"`;
  if (scope.schemaUrl !== '') out += `,otel_scope_schema_url="${escapeLabelValue(scope.schemaUrl)}"`;
  return out + labelsText(scope.attributes, scopeAttributeLabel);
}

/** Attributes that would take the place of the scope's own name, version or schema are left out, as the specification has it. */
function scopeAttributeLabel(key: string): string | undefined {
  const name = labelName(`otel_scope_${key}`);
  return own.has(name) ? undefined : name;
}
