import { type Attributes, attributesKey } from '../../otel/model/attributes.ts';
import { batchesOf, type Collection, PointBatch } from '../../otel/state/point-batch.ts';

export interface ModelPoint {
  readonly value: number | readonly number[];
  readonly startUs: number;
  readonly timeUs: number;
  readonly isWithoutValue: boolean;
}

/** What a point is named by: its output, resource and attributes. */
export function pointKey(output: string, resource: Attributes, own: Attributes): string {
  return `${output} ${attributesKey(resource)} ${attributesKey(own)}`;
}

/** A collection with every point as an object, by its name. A histogram's value is its bucket counts and then its sum. */
export function readCollection({ resources }: Collection): Map<string, ModelPoint[]> {
  const found = new Map<string, ModelPoint[]>();
  const batch = new PointBatch();
  for (const { resource, scopes } of resources)
    for (const { streams } of scopes)
      for (const stream of streams)
        for (const { size } of batchesOf(stream, batch))
          for (let i = 0; i < size; i++) {
            const key = pointKey(
              stream.metric.name,
              resource.attributes,
              batch.seriesAttributes[i].attributes,
            );
            const buckets = batch.bucketCounts.slice(i * batch.bucketCount, (i + 1) * batch.bucketCount);
            const value = batch.bucketCount === 0 ? batch.values[i] : [...buckets, batch.sums[i]];
            const point: ModelPoint = {
              value,
              startUs: batch.startTimeUs[i],
              timeUs: batch.timeUs[i],
              isWithoutValue: batch.flags[i] === 1,
            };
            found.set(key, [...(found.get(key) ?? []), point]);
          }
  return found;
}
