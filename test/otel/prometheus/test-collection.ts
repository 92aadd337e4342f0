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
  readonly exponential?: PlainExponential;
  /** Summaries: how much was counted, and a value for each quantile. */
  readonly count?: number;
  readonly quantileValues?: readonly number[];
}

export interface PlainExponential {
  readonly scale: number;
  readonly zeroThreshold?: number;
  readonly zeroCount?: number;
  readonly positive?: PlainBuckets;
  readonly negative?: PlainBuckets;
}

export interface PlainBuckets {
  readonly offset: number;
  readonly counts: readonly number[];
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
    temporality: plain.kind === 'gauge' || plain.kind === 'summary' ? undefined : temporality,
    read(batch: PointBatch): number {
      const buckets = plain.kind === 'histogram' ? (plain.explicitBounds ?? []).length + 1 : 0;
      const quantiles = (plain.quantiles ?? []).length;
      if (plain.kind === 'summary') batch.resetSummaries(points.length, quantiles);
      else if (plain.kind === 'exponential_histogram') batch.resetExponential(points.length);
      else batch.reset(points.length, buckets);
      points.forEach((point, i) => {
        batch.seriesAttributes[i] = series[i]!;
        batch.flags[i] = point.flags ?? 0;
        batch.values[i] = point.value ?? 0;
        if (plain.kind === 'sum' || plain.kind === 'gauge') return;
        batch.sums[i] = point.sum ?? Number.NaN;
        if (plain.kind === 'histogram') batch.bucketCounts.set(point.buckets ?? [], i * buckets);
        if (plain.kind === 'summary') {
          batch.counts[i] = point.count ?? 0;
          batch.quantileValues.set(point.quantileValues ?? [], i * quantiles);
        }
        if (plain.kind === 'exponential_histogram') fillExponential(batch, i, point.exponential!);
      });
      batch.size = points.length;
      return noMore;
    },
  };
}

function fillExponential({ exponential }: PointBatch, i: number, plain: PlainExponential): void {
  const { positive, negative } = plain;
  exponential.scales[i] = plain.scale;
  exponential.zeroThresholds[i] = plain.zeroThreshold ?? 0;
  exponential.zeroCounts[i] = plain.zeroCount ?? 0;
  exponential.positiveOffsets[i] = positive?.offset ?? 0;
  exponential.positiveLengths[i] = positive?.counts.length ?? 0;
  exponential.positiveStarts[i] = exponential.allocate(positive?.counts.length ?? 0);
  exponential.counts.set(positive?.counts ?? [], exponential.positiveStarts[i]);
  exponential.negativeOffsets[i] = negative?.offset ?? 0;
  exponential.negativeLengths[i] = negative?.counts.length ?? 0;
  exponential.negativeStarts[i] = exponential.allocate(negative?.counts.length ?? 0);
  exponential.counts.set(negative?.counts ?? [], exponential.negativeStarts[i]);
}
