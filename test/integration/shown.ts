import type { Collector } from '../../collector/collector.ts';
import { attributeOf } from '../../otel/model/attributes.ts';
import { batchesOf, PointBatch } from '../../otel/state/point-batch.ts';

/** What the collector shows of a metric now, by `service.instance.id`: the sum of the points of that resource. */
export function shown(collector: Collector, name: string): Map<string, number> {
  const batch = new PointBatch();
  const values = new Map<string, number>();
  for (const { resource, scopes } of collector.collect().resources) {
    const instance = String(attributeOf(resource.attributes, 'service.instance.id'));
    for (const { streams } of scopes) {
      for (const stream of streams) {
        if (stream.metric.name !== name) continue;
        for (const { size } of batchesOf(stream, batch))
          for (let i = 0; i < size; i++) values.set(instance, (values.get(instance) ?? 0) + batch.values[i]!);
      }
    }
  }
  return values;
}
