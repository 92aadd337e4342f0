import {
  type HrTime,
  type Attributes as SdkAttributes,
  type AttributeValue as SdkAttributeValue,
  ValueType,
} from '@opentelemetry/api';
import { resourceFromAttributes, type Resource as SdkResource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  type DataPoint,
  DataPointType,
  type ExponentialHistogram,
  type Histogram,
  type MetricData,
} from '@opentelemetry/sdk-metrics';
import { AttributeMap, type Attributes, type AttributeValue, attributeText } from '../model/attributes.ts';
import type { Resource } from '../model/resource.ts';
import {
  type MetricStream,
  noRecordedValue,
  type PointBatch,
  type SeriesAttributes,
} from '../state/point-batch.ts';
import { hasNumber } from './fixed-fields.ts';

/**
 * Attributes as the SDK has them. It has one type of number: a double that is whole becomes an int in its exporters, and int64s beyond
 * 2^53 are text.
 */
export function sdkAttributes(attributes: Attributes): SdkAttributes {
  return Object.fromEntries(attributes.map(([key, value]) => [key, sdkValue(value)]));
}

/** A resource as the SDK has it: with simple values and lists of one simple type only. Other values become text, and empty ones are left out. */
export function sdkResource({ attributes, schemaUrl }: Resource): SdkResource {
  const simple: SdkAttributes = {};
  for (const [key, value] of attributes) {
    if (value === null) continue;
    const converted = sdkValue(value);
    simple[key] = isSimple(converted) ? converted : attributeText(value);
  }
  return resourceFromAttributes(simple, schemaUrl === '' ? {} : { schemaUrl });
}

function isSimple(value: SdkAttributeValue): boolean {
  if (!Array.isArray(value)) return typeof value !== 'object';
  return value.every((item) => typeof item !== 'object' && typeof item === typeof value[0]);
}

function sdkValue(value: AttributeValue): SdkAttributeValue {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value.toString();
  }
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value;
  return value instanceof AttributeMap ? sdkAttributes(value.entries) : value.map(sdkValue);
}

/** What the SDK's data model has no place for: for why, see docs/operations.md. */
export type SdkLossCause = 'summary' | 'no_recorded_value' | 'zero_threshold';

/** A metric of the SDK that is being filled. Its kind is one that the SDK has: any but a summary. */
export class SdkMetric {
  readonly data: MetricData;
  readonly #stream: MetricStream;
  readonly #attributes: (series: SeriesAttributes) => SdkAttributes;
  readonly #onLoss: (cause: SdkLossCause, points: number) => void;

  constructor(
    stream: MetricStream,
    attributes: (series: SeriesAttributes) => SdkAttributes,
    onLoss: (cause: SdkLossCause, points: number) => void,
  ) {
    this.#stream = stream;
    this.#attributes = attributes;
    this.#onLoss = onLoss;
    this.data = describe(stream);
  }

  /** Takes the points of a batch of the stream. */
  add(batch: PointBatch): void {
    const dataPoints = this.data.dataPoints as DataPoint<number | Histogram | ExponentialHistogram>[];
    let withoutValue = 0;
    let withThreshold = 0;
    for (let i = 0; i < batch.size; i++) {
      if ((batch.flags[i]! & noRecordedValue) !== 0) {
        withoutValue++;
        continue;
      }
      if (this.data.dataPointType === DataPointType.EXPONENTIAL_HISTOGRAM)
        if (batch.exponential.zeroThresholds[i] !== 0) withThreshold++;
      dataPoints.push({
        startTime: hrTime(batch.startTimeUs[i]!),
        endTime: hrTime(batch.timeUs[i]!),
        attributes: this.#attributes(batch.seriesAttributes[i]!),
        value: this.#value(batch, i),
      });
    }
    if (withoutValue > 0) this.#onLoss('no_recorded_value', withoutValue);
    if (withThreshold > 0) this.#onLoss('zero_threshold', withThreshold);
  }

  #value(batch: PointBatch, i: number): number | Histogram | ExponentialHistogram {
    const { metric } = this.#stream;
    if (metric.kind === 'sum' || metric.kind === 'gauge') return batch.values[i]!;
    const statistics = {
      ...(metric.hasSum && { sum: batch.sums[i]! }),
      ...(hasNumber(metric.hasMin, batch.mins[i]!) && { min: batch.mins[i]! }),
      ...(hasNumber(metric.hasMax, batch.maxes[i]!) && { max: batch.maxes[i]! }),
    };
    if (metric.kind === 'exponential_histogram') return { ...exponentialValue(batch, i), ...statistics };
    const counts = [...batch.bucketCounts.subarray(i * batch.bucketCount, (i + 1) * batch.bucketCount)];
    return {
      buckets: { boundaries: [...metric.explicitBounds], counts },
      count: counts.reduce((sum, count) => sum + count, 0),
      ...statistics,
    };
  }
}

function exponentialValue({ exponential }: PointBatch, i: number): ExponentialHistogram {
  const buckets = (offset: number, start: number, length: number) => ({
    offset,
    bucketCounts: [...exponential.counts.subarray(start, start + length)],
  });
  return {
    count: exponential.countOf(i),
    scale: exponential.scales[i]!,
    zeroCount: exponential.zeroCounts[i]!,
    positive: buckets(
      exponential.positiveOffsets[i]!,
      exponential.positiveStarts[i]!,
      exponential.positiveLengths[i]!,
    ),
    negative: buckets(
      exponential.negativeOffsets[i]!,
      exponential.negativeStarts[i]!,
      exponential.negativeLengths[i]!,
    ),
  };
}

function describe({ metric, temporality }: MetricStream): MetricData {
  const { name, description, unit, isMonotonic } = metric;
  const valueType = metric.valueType === 'int' ? ValueType.INT : ValueType.DOUBLE;
  const base = {
    descriptor: { name, description, unit, valueType },
    aggregationTemporality:
      temporality === 'delta' ? AggregationTemporality.DELTA : AggregationTemporality.CUMULATIVE,
    dataPoints: [],
  };
  switch (metric.kind) {
    case 'sum':
      return { ...base, dataPointType: DataPointType.SUM, isMonotonic };
    case 'gauge':
      return { ...base, dataPointType: DataPointType.GAUGE };
    case 'histogram':
      return { ...base, dataPointType: DataPointType.HISTOGRAM };
    case 'exponential_histogram':
      return { ...base, dataPointType: DataPointType.EXPONENTIAL_HISTOGRAM };
    case 'summary':
      throw new TypeError(`metric ${name} is a summary, which the SDK has no type for`);
  }
}

/** Seconds and nanoseconds, of whole microseconds exactly. */
function hrTime(timeUs: number): HrTime {
  const seconds = Math.floor(timeUs / 1e6);
  return [seconds, Math.round((timeUs - seconds * 1e6) * 1000)];
}
