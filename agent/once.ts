import type { MetricDescription } from '../otel/model/metric.ts';
import { metricKey } from '../otel/model/metric.ts';
import type { Resource } from '../otel/model/resource.ts';
import { resourceKey } from '../otel/model/resource.ts';
import type { InstrumentationScope } from '../otel/model/scope.ts';
import { scopeKey } from '../otel/model/scope.ts';
import {
  type Collection,
  type MetricStream,
  noMore,
  type PointBatch,
  type ResourceMetrics,
} from '../otel/state/point-batch.ts';
import type { AgentSeries, SamplingGroup } from './state/sampling-group.ts';

interface Point {
  readonly group: SamplingGroup;
  readonly cell: number;
  readonly series: AgentSeries;
}

interface Stream extends MetricStream {
  readonly points: Point[];
}

interface Scope {
  readonly scope: InstrumentationScope;
  readonly streams: Stream[];
  readonly byMetric: Map<string, Stream>;
}

interface Node extends ResourceMetrics {
  readonly scopes: Scope[];
  readonly byScope: Map<string, Scope>;
}

/**
 * What sampling groups hold, as a collection for exporters: series by resource, scope and metric, in the order of their cells. The
 * points are read from the groups when a stream is read. It may be walked any number of times.
 * @param resource the agent's own
 * @param timeUs of the collection: microseconds since the Unix epoch
 */
export function collectionOf(
  groups: Iterable<SamplingGroup>,
  resource: Resource,
  timeUs: number,
): Collection {
  const resources = new Map<string, Node>();
  for (const group of groups) {
    for (let cell = 0; cell < group.cells; cell++) {
      const series = group.seriesAt(cell);
      if (series === undefined) continue;
      const node = entry(resources, resourceKey(series.resource ?? resource), () => ({
        resource: series.resource ?? resource,
        scopes: [],
        byScope: new Map(),
      }));
      const scope = entry(node.byScope, scopeKey(series.scope), () => {
        const made: Scope = { scope: series.scope, streams: [], byMetric: new Map() };
        node.scopes.push(made);
        return made;
      });
      const stream = entry(scope.byMetric, metricKey(series.metric), () => {
        const made = streamOf(series.metric);
        scope.streams.push(made);
        return made;
      });
      stream.points.push({ group, cell, series });
    }
  }
  return { timeUs, resources: [...resources.values()] };
}

function entry<T>(map: Map<string, T>, key: string, make: () => T): T {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

function streamOf(metric: MetricDescription): Stream {
  const points: Point[] = [];
  return {
    metric,
    temporality: metric.kind === 'sum' ? 'cumulative' : undefined,
    points,
    read(batch: PointBatch): number {
      batch.reset(points.length);
      for (const [i, { group, cell, series }] of points.entries()) {
        batch.seriesAttributes[i] = {
          attributes: series.attributes,
          otlpNumber: undefined,
          otlpHistogram: undefined,
        };
        batch.startTimeUs[i] = series.startTimeUs ?? 0;
        batch.timeUs[i] = group.timeUs;
        batch.values[i] = group.values[cell];
        batch.flags[i] = 0;
      }
      batch.size = points.length;
      return noMore;
    },
  };
}
