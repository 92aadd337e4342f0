import { createHash } from 'node:crypto';
import { attributesKey } from '../../otel/model/attributes.ts';
import { metricKey } from '../../otel/model/metric.ts';
import { resourceKey } from '../../otel/model/resource.ts';
import { scopeKey } from '../../otel/model/scope.ts';
import type { AgentSeries } from './sampling-group.ts';

/** Equal for series that a collector takes for one, whatever their epochs, and for no others: 22 characters. */
export function seriesKey({ resource, scope, metric, attributes }: AgentSeries): string {
  const own = resource === undefined ? '-' : resourceKey(resource);
  const text = [own, scopeKey(scope), metricKey(metric), attributesKey(attributes)].join('\0');
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}
