import { inspect } from 'node:util';
import type { OtlpSink } from '../../sinks/otlp-sink.ts';
import type { PlainValue, ReceivedHistogram, ReceivedPoint } from '../../sinks/received-points.ts';

// What must hold of what a backend was sent, whatever it is: conservation and monotonicity, checked plainly.

/** The points of one output series, in the order in which the backend took them. */
export interface ReceivedSeries {
  readonly name: string;
  readonly scope: string;
  /** `service.instance.id` of the resource, which all of these tests have. */
  readonly instance: string;
  readonly attributes: Readonly<Record<string, PlainValue>>;
  readonly points: readonly ReceivedPoint[];
}

/** The series with these names. Equal points of one delta interval are one: a retry repeats it. */
export function receivedSeries(sink: OtlpSink, names: ReadonlySet<string>): ReceivedSeries[] {
  const points = sink.points.filter(({ name }) => names.has(name));
  const key = ({ name, resource, attributes, scope }: ReceivedPoint): string =>
    inspect([name, resource, attributes, scope], { sorted: true, breakLength: Infinity });
  return [...Map.groupBy(points, key).values()].map((all) => {
    const [{ name, scope, resource, attributes, temporality }] = all as [ReceivedPoint];
    const seen = new Set<string>();
    return {
      name,
      scope,
      instance: String(resource['service.instance.id']),
      attributes,
      points: temporality !== 'delta' ? all : all.filter((point) => isFirst(seen, intervalOf(point))),
    };
  });
}

function intervalOf({ start, time, value }: ReceivedPoint): string {
  return `${start} ${time} ${inspect(value)}`;
}

function isFirst(seen: Set<string>, key: string): boolean {
  if (seen.has(key)) return false;
  seen.add(key);
  return true;
}

/** What is wrong with a cumulative series: a fall under one start time, a start time that goes back. */
export function cumulativeFaults({ points }: ReceivedSeries): string[] {
  const faults: string[] = [];
  for (const [i, point] of points.entries()) {
    if (i === 0) continue;
    const before = points[i - 1]!;
    if (point.temporality !== 'cumulative') faults.push(`is ${point.temporality}`);
    if (point.start < before.start) faults.push(`its start goes back: ${told(before)}, then ${told(point)}`);
    if (point.time < before.time) faults.push(`its time goes back: ${told(before)}, then ${told(point)}`);
    if (point.start !== before.start) continue;
    for (const [at, value] of numbersOf(point).entries())
      if (value < numbersOf(before)[at]!) faults.push(`falls: ${told(before)}, then ${told(point)}`);
  }
  return faults;
}

/**
 * What is wrong with a delta series: intervals that overlap, a gap where the series was there all the time, a value below zero, two
 * values for one interval.
 */
export function deltaFaults({ points }: ReceivedSeries, mayRest: boolean): string[] {
  const faults: string[] = [];
  for (const [i, point] of points.entries()) {
    if (point.temporality !== 'delta') faults.push(`is ${point.temporality}`);
    if (point.start >= point.time) faults.push(`has an empty interval: ${told(point)}`);
    if (numbersOf(point).some((value) => value < 0)) faults.push(`falls: ${told(point)}`);
    if (i === 0) continue;
    const before = points[i - 1]!;
    if (point.start < before.time) faults.push(`overlaps: ${told(before)}, then ${told(point)}`);
    if (!mayRest && point.start > before.time) faults.push(`has a gap: ${told(before)}, then ${told(point)}`);
  }
  return faults;
}

/** All that delta intervals add up to. */
export function total({ points }: ReceivedSeries): number[] {
  return points.reduce<number[]>(
    (sums, point) => numbersOf(point).map((value, i) => (sums[i] ?? 0) + value),
    [],
  );
}

/** Of a sum its value; of a histogram its bucket counts and its sum. */
export function numbersOf({ value }: ReceivedPoint): number[] {
  if (typeof value === 'object') {
    const { bucketCounts, sum } = value as ReceivedHistogram;
    return [...bucketCounts, sum ?? 0];
  }
  return [Number(value)];
}

function told(point: ReceivedPoint): string {
  return `${numbersOf(point).join(' ')} from ${point.start} to ${point.time}`;
}
