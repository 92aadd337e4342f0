import { type AttributeValue, attributes } from '../../../otel/model/attributes.ts';
import { type MetricDescription, metric } from '../../../otel/model/metric.ts';
import { emptyScope, type InstrumentationScope } from '../../../otel/model/scope.ts';
import {
  type Collection,
  type MetricStream,
  noMore,
  type PointBatch,
  type SeriesAttributes,
} from '../../../otel/state/point-batch.ts';

export type PlainAttributes = Readonly<Record<string, AttributeValue>>;

export interface PlainPoint {
  readonly attributes?: PlainAttributes;
  readonly value?: number;
  readonly buckets?: readonly number[];
  readonly sum?: number;
  readonly flags?: number;
}

export type PlainMetric = Pick<MetricDescription, 'name' | 'kind'> &
  Partial<MetricDescription> & {
    readonly temporality?: 'delta' | 'cumulative';
    readonly points: readonly PlainPoint[];
  };

export interface PlainResource {
  readonly attributes: PlainAttributes;
  readonly scope?: Partial<Omit<InstrumentationScope, 'attributes'>> & {
    readonly attributes?: PlainAttributes;
  };
  readonly metrics: readonly PlainMetric[];
}

/** A collection whose points stand in plain objects. */
export function collectionOf(...resources: readonly PlainResource[]): Collection {
  return {
    timeUs: 1_700_000_000_000_000,
    resources: resources.map((plain) => ({
      resource: { attributes: attributes(plain.attributes), schemaUrl: '' },
      scopes: [
        {
          scope: { ...emptyScope, ...plain.scope, attributes: attributes(plain.scope?.attributes ?? {}) },
          streams: plain.metrics.map(streamOf),
        },
      ],
    })),
  };
}

function streamOf(plain: PlainMetric): MetricStream {
  const { temporality = 'cumulative', points, ...description } = plain;
  const series = points.map(
    (point): SeriesAttributes => ({
      attributes: attributes(point.attributes ?? {}),
      otlpNumber: undefined,
      otlpHistogram: undefined,
    }),
  );
  return {
    metric: metric(description),
    temporality: plain.kind === 'gauge' ? undefined : temporality,
    read(batch: PointBatch): number {
      const buckets = plain.kind === 'histogram' ? (plain.explicitBounds ?? []).length + 1 : 0;
      batch.reset(points.length, buckets);
      points.forEach((point, i) => {
        batch.seriesAttributes[i] = series[i]!;
        batch.flags[i] = point.flags ?? 0;
        batch.values[i] = point.value ?? 0;
        if (buckets === 0) return;
        batch.bucketCounts.set(point.buckets ?? [], i * buckets);
        batch.sums[i] = point.sum ?? Number.NaN;
      });
      batch.size = points.length;
      return noMore;
    },
  };
}
