import { createHash } from 'node:crypto';
import { joinsSeries, type ViewStream } from '../../otel/config/metric-views.ts';
import { defaultCardinalityLimit } from './stream-plan.ts';

/**
 * A short text that is equal for views that make the same totals of the same series. What they select is not part of it, nor the description, nor what is
 * said of values that stand for the present only: staleness, and the reduction over time.
 */
export function planIdentity(stream: ViewStream): string {
  const limit = stream.cardinalityLimit ?? (joinsSeries(stream) ? defaultCardinalityLimit : null);
  const { aggregation } = stream;
  const parts = [
    stream.name ?? null,
    stream.renameMetric === undefined ? null : [stream.renameMetric.from, stream.renameMetric.to],
    stream.attributeKeys?.included ?? null,
    stream.attributeKeys?.excluded ?? null,
    // Of two that come under one key the later one holds.
    Object.entries(stream.renameAttributes ?? {}),
    stream.metricNameAttribute ?? null,
    limit,
    typeof aggregation === 'string' ? aggregation : Object.entries(aggregation).sort(),
    stream.members ?? null,
    stream.resourceKeys === undefined ? null : [...stream.resourceKeys].sort(),
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22);
}
