import { attributesFromWire } from '../../../../otel/model/any-value.ts';
import { type Attributes, attributesKey } from '../../../../otel/model/attributes.ts';
import {
  type DecodedPoints,
  exponentialNumbers,
  histogramNumbers,
  noRecordedValueFlag,
  summaryNumbers,
  valueMissingFlag,
} from '../../../../otel/otlp/decode/decoded-points.ts';
import type { MetricPoints, RequestDecoder } from '../../../../otel/otlp/decode/request-decoder.ts';
import { InvalidDataError } from '../../../../proto/error.ts';
import type {
  OtlpAnyValue,
  OtlpExportRequest,
  OtlpKeyValue,
  OtlpMetric,
} from '../../../sinks/export-request.ts';

/** One point of a request, in plain words. */
export interface PlainPoint {
  /** What attributes are, or that they are none that may be. */
  readonly attributes: string;
  readonly startUs: number;
  readonly timeUs: number;
  readonly hasNoRecordedValue: boolean;
  /** Value, or all numbers of a histogram or summary, bounds and quantiles first. */
  readonly numbers: readonly (number | undefined)[];
}

/** A metric of a request that has points. */
export interface PlainMetric {
  readonly resource: string;
  readonly scope: string;
  readonly metric: string;
  readonly points: readonly PlainPoint[];
}

const invalid = 'invalid';

/** What the decoder made of a request. */
export function decodedPlain(decoder: RequestDecoder): PlainMetric[] {
  return decoder.metrics.map((group) => {
    const { resource, scope, metric, from, to } = group;
    const isKnown = metric.problem === undefined;
    return {
      resource: resource.problem
        ? invalid
        : `${attributesKey(resource.resource.attributes)} ${resource.resource.schemaUrl}`,
      scope: scope.problem
        ? invalid
        : `${scope.scope.name} ${scope.scope.version} ${attributesKey(scope.scope.attributes)} ${scope.scope.schemaUrl}`,
      metric: isKnown
        ? `${metric.name} ${describe(decoder, group)} ${metric.kind} ${metric.temporality} ${metric.isMonotonic}`
        : invalid,
      points: Array.from({ length: to - from }, (_, i) => decodedPoint(decoder, group, from + i)),
    };
  });
}

function describe(decoder: RequestDecoder, { metric, from }: MetricPoints): string {
  try {
    const { unit, description } = metric.describe(
      decoder.points.variants[from]!,
      decoder.numbersOf(from, metric),
    );
    return `${unit} ${description}`;
  } catch (error) {
    if (!(error instanceof InvalidDataError)) throw error;
    return invalid;
  }
}

function decodedPoint(decoder: RequestDecoder, { metric }: MetricPoints, row: number): PlainPoint {
  const { points } = decoder;
  return {
    attributes: keyOf(() => decoder.attributesOf(row, metric)),
    startUs: points.startUs[row]!,
    timeUs: points.timeUs[row]!,
    hasNoRecordedValue: (points.flags[row]! & noRecordedValueFlag) !== 0,
    numbers: decodedNumbers(points, decoder.numbersOf(row, metric), metric.kind, row),
  };
}

function decodedNumbers(
  points: DecodedPoints,
  shape: readonly number[],
  kind: string,
  row: number,
): (number | undefined)[] {
  const at = points.at[row]!;
  const { numbers } = points;
  const orNone = (value: number) => (Number.isNaN(value) ? undefined : value);
  const count = points.values[row]!;
  if (kind === 'histogram') {
    const first = at + histogramNumbers.buckets;
    return [
      ...shape,
      count,
      points.variants[row] === 1 ? numbers[at + histogramNumbers.sum]! : undefined,
      orNone(numbers[at + histogramNumbers.min]!),
      orNone(numbers[at + histogramNumbers.max]!),
      ...numbers.subarray(first, first + points.widths[row]!),
    ];
  }
  if (kind === 'exponential_histogram') {
    const head = [...numbers.subarray(at + exponentialNumbers.scale, at + exponentialNumbers.buckets)];
    const first = at + exponentialNumbers.buckets;
    const buckets =
      numbers[at + exponentialNumbers.positiveLength]! + numbers[at + exponentialNumbers.negativeLength]!;
    return [
      count,
      points.variants[row] === 1 ? numbers[at + exponentialNumbers.sum]! : undefined,
      orNone(numbers[at + exponentialNumbers.min]!),
      orNone(numbers[at + exponentialNumbers.max]!),
      ...head,
      ...numbers.subarray(first, first + buckets),
    ];
  }
  if (kind === 'summary') {
    const first = at + summaryNumbers.values;
    return [
      ...shape,
      count,
      numbers[at + summaryNumbers.sum]!,
      ...numbers.subarray(first, first + points.widths[row]!),
    ];
  }
  return (points.flags[row]! & valueMissingFlag) !== 0 ? [undefined] : [count, points.variants[row]!];
}

/** The same of what proto-loader decoded. */
export function oraclePlain(request: OtlpExportRequest): PlainMetric[] {
  const plain: PlainMetric[] = [];
  for (const { resource, schemaUrl, scopeMetrics } of request.resourceMetrics)
    for (const { scope, schemaUrl: scopeUrl, metrics } of scopeMetrics)
      for (const metric of metrics) {
        const points = oraclePoints(metric);
        if (points === undefined || points.points.length === 0) continue;
        const { name, unit, description } = metric;
        const isValid = name.length >= 1 && name.length <= 255 && points.isTemporal;
        const scopeKey = keyOf(() => wire(scope?.attributes ?? []));
        const resourceKey = keyOf(() => wire(resource?.attributes ?? []));
        plain.push({
          resource: resourceKey === invalid ? invalid : `${resourceKey} ${schemaUrl}`,
          scope:
            scopeKey === invalid
              ? invalid
              : `${scope?.name ?? ''} ${scope?.version ?? ''} ${scopeKey} ${scopeUrl}`,
          metric: isValid
            ? `${name} ${points.isShaped ? `${unit} ${description}` : invalid} ${points.kind}`
            : invalid,
          points: points.points,
        });
      }
  return plain;
}

interface OraclePoints {
  readonly kind: string;
  readonly isTemporal: boolean;
  readonly isShaped: boolean;
  readonly points: PlainPoint[];
}

function oraclePoints(metric: OtlpMetric): OraclePoints | undefined {
  const { gauge, sum, histogram, exponentialHistogram, summary } = metric;
  if (gauge) return pointsOf('gauge cumulative false', undefined, gauge.dataPoints, numberValues);
  if (sum)
    return pointsOf(
      `sum ${temporalityOf(sum)} ${sum.isMonotonic}`,
      sum.aggregationTemporality,
      sum.dataPoints,
      numberValues,
    );
  if (histogram)
    return pointsOf(
      `histogram ${temporalityOf(histogram)} false`,
      histogram.aggregationTemporality,
      histogram.dataPoints,
      (point) => [
        ...point.explicitBounds,
        Number(point.count),
        point.sum,
        orNone(point.min),
        orNone(point.max),
        ...(point.bucketCounts.length === 0 ? [point.count] : point.bucketCounts).map(Number),
      ],
      (point) => isAscending(point.explicitBounds),
    );
  if (exponentialHistogram)
    return pointsOf(
      `exponential_histogram ${temporalityOf(exponentialHistogram)} false`,
      exponentialHistogram.aggregationTemporality,
      exponentialHistogram.dataPoints,
      (point) => [
        Number(point.count),
        point.sum,
        orNone(point.min),
        orNone(point.max),
        point.scale,
        point.zeroThreshold,
        Number(point.zeroCount),
        point.positive?.offset ?? 0,
        point.positive?.bucketCounts.length ?? 0,
        point.negative?.offset ?? 0,
        point.negative?.bucketCounts.length ?? 0,
        ...(point.positive?.bucketCounts ?? []).map(Number),
        ...(point.negative?.bucketCounts ?? []).map(Number),
      ],
    );
  if (summary)
    return pointsOf(
      'summary cumulative false',
      undefined,
      summary.dataPoints,
      (point) => [
        ...point.quantileValues.map(({ quantile }) => quantile),
        Number(point.count),
        point.sum,
        ...point.quantileValues.map(({ value }) => value),
      ],
      (point) => {
        const quantiles = point.quantileValues.map(({ quantile }) => quantile);
        return isAscending(quantiles) && quantiles.every((q) => q >= 0 && q <= 1);
      },
    );
  return undefined;
}

function pointsOf<
  T extends {
    attributes: OtlpKeyValue[];
    startTimeUnixNano: string;
    timeUnixNano: string;
    flags: number;
  },
>(
  kind: string,
  temporality: number | undefined,
  dataPoints: readonly T[],
  numbersOf: (point: T) => (number | undefined)[],
  isShaped: (point: T) => boolean = () => true,
): OraclePoints {
  return {
    kind,
    isTemporal: temporality === undefined || temporality === 1 || temporality === 2,
    isShaped: dataPoints.length === 0 || isShaped(dataPoints[0]!),
    points: dataPoints.map((point) => ({
      attributes: keyOf(() => wire(point.attributes)),
      startUs: Number(BigInt(point.startTimeUnixNano) / 1000n),
      timeUs: Number(BigInt(point.timeUnixNano) / 1000n),
      hasNoRecordedValue: (point.flags & 1) !== 0,
      numbers: numbersOf(point),
    })),
  };
}

function numberValues(point: { value?: string; asDouble?: number; asInt?: string }): (number | undefined)[] {
  if (point.value === 'asInt') return [Number(point.asInt), 0];
  return point.value === 'asDouble' ? [point.asDouble, 1] : [undefined];
}

function temporalityOf({ aggregationTemporality }: { aggregationTemporality: number }): string {
  return aggregationTemporality === 1 ? 'delta' : 'cumulative';
}

function orNone(value: number | undefined): number | undefined {
  return Number.isNaN(value) ? undefined : value;
}

function isAscending(list: readonly number[]): boolean {
  return list.length <= 64 && list.every((n, i) => Number.isFinite(n) && (i === 0 || n > list[i - 1]!));
}

function keyOf(read: () => Attributes): string {
  try {
    return attributesKey(read());
  } catch (error) {
    if (!(error instanceof InvalidDataError)) throw error;
    return invalid;
  }
}

function wire(list: readonly OtlpKeyValue[]): Attributes {
  return attributesFromWire(
    list.map(({ key, value }) => ({ key, value: value === null ? null : asSet(value) })),
    '',
  );
}

/** Of a value only the field that holds; of two, it cannot be told which one came last. */
function asSet(value: OtlpAnyValue): Parameters<typeof attributesFromWire>[0][number]['value'] {
  const { value: _, ...fields } = value;
  const set = Object.entries(fields).filter(([, field]) => field !== null && field !== undefined);
  if (set.length > 1) throw new InvalidDataError('has two values');
  const { arrayValue, kvlistValue } = value;
  if (arrayValue) return { arrayValue: { values: arrayValue.values.map((inner) => asSet(inner)!) } } as never;
  if (kvlistValue)
    return {
      kvlistValue: {
        values: kvlistValue.values.map(({ key, value: inner }) => ({
          key,
          value: inner === null ? null : asSet(inner),
        })),
      },
    } as never;
  return fields as never;
}
