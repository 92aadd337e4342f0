import {
  type DecodedPoints,
  exponentialNumbers,
  histogramNumbers,
  summaryNumbers,
} from '../../../otel/otlp/decode/decoded-points.ts';
import type { MetricHeader } from '../../../otel/otlp/decode/request-headers.ts';
import { ReusedExponentialValue } from '../../../otel/state/exponential-value.ts';
import type { PointIntake } from '../../../otel/state/intake/point-intake.ts';
import type { PointOutcome } from '../../../otel/state/intake/point-outcome.ts';

const exponential = new ReusedExponentialValue();

/** Gives a decoded point with a value to the series of the handle, as its kind wants it. @param hasSum whether the series has one, of histograms */
export function feedPoint(
  intake: PointIntake,
  { kind, temporality }: MetricHeader,
  points: DecodedPoints,
  row: number,
  handle: number,
  hasSum: boolean,
  nowUs: number,
): PointOutcome {
  const startUs = points.startUs[row]!;
  const timeUs = points.timeUs[row]!;
  const { numbers } = points;
  const at = points.at[row]!;
  switch (kind) {
    case 'sum':
      return intake.sum(handle, temporality, startUs, timeUs, points.values[row]!, nowUs);
    case 'gauge':
      return intake.gauge(handle, timeUs, points.values[row]!, nowUs);
    case 'histogram':
      return intake.histogram(
        handle,
        temporality,
        startUs,
        timeUs,
        numbers,
        at + histogramNumbers.buckets,
        points.widths[row]!,
        hasSum ? numbers[at + histogramNumbers.sum]! : 0,
        numbers[at + histogramNumbers.min]!,
        numbers[at + histogramNumbers.max]!,
        nowUs,
      );
    case 'exponential_histogram':
      readExponential(points, at, hasSum);
      return intake.exponentialHistogram(
        handle,
        temporality,
        startUs,
        timeUs,
        exponential,
        numbers[at + exponentialNumbers.min]!,
        numbers[at + exponentialNumbers.max]!,
        nowUs,
      );
    case 'summary':
      return intake.summary(
        handle,
        startUs,
        timeUs,
        numbers[at + summaryNumbers.count]!,
        numbers[at + summaryNumbers.sum]!,
        numbers,
        at + summaryNumbers.values,
        points.widths[row]!,
        nowUs,
      );
  }
}

function readExponential({ numbers }: DecodedPoints, at: number, hasSum: boolean): void {
  exponential.scale = numbers[at + exponentialNumbers.scale]!;
  exponential.zeroThreshold = numbers[at + exponentialNumbers.zeroThreshold]!;
  exponential.zeroCount = numbers[at + exponentialNumbers.zeroCount]!;
  exponential.sum = hasSum ? numbers[at + exponentialNumbers.sum]! : 0;
  const first = at + exponentialNumbers.buckets;
  const length = numbers[at + exponentialNumbers.positiveLength]!;
  exponential.positive.set(numbers[at + exponentialNumbers.positiveOffset]!, numbers, first, length);
  exponential.negative.set(
    numbers[at + exponentialNumbers.negativeOffset]!,
    numbers,
    first + length,
    numbers[at + exponentialNumbers.negativeLength]!,
  );
}
