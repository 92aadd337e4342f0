import type { MetricDescription } from '../../otel/model/metric.ts';
import { hasBuckets, isNothing, type ModelHistogram } from '../otel/state/exponential-model.ts';

/**
 * A point as it is compared: start, time, whether it has no recorded value, and then its value in numbers. Where there is no recorded value the
 * rest says nothing, as in OTLP; where a histogram has no buckets, so does its scale.
 */
export type Shown = readonly number[];

/** Points by the name of their stream, resource and attributes. Points of one series may come twice while it moves between resources. */
export type ShownPoints = Map<string, Shown[]>;

export function shownNothing(startUs: number, timeUs: number): Shown {
  return [startUs, timeUs, 1];
}

/** Numbers, explicit histograms and summaries, as the model has them. */
export function shownList(
  { kind, hasSum, hasMin, hasMax }: MetricDescription,
  value: readonly number[],
  startUs: number,
  timeUs: number,
  min = NaN,
  max = NaN,
): Shown {
  if (kind !== 'histogram') return [startUs, timeUs, 0, ...value];
  const sum = hasSum ? value[value.length - 1] : NaN;
  return [startUs, timeUs, 0, ...value.slice(0, -1), sum, hasMin ? min : NaN, hasMax ? max : NaN];
}

export function shownExponential(
  { hasSum, hasMin, hasMax }: MetricDescription,
  h: ModelHistogram,
  startUs: number,
  timeUs: number,
  min = NaN,
  max = NaN,
): Shown {
  const shown = [startUs, timeUs, 0, hasBuckets(h) ? h.scale : NaN, isNothing(h) ? NaN : h.zeroThreshold];
  shown.push(h.zeroCount, hasSum ? h.sum : NaN, hasMin ? min : NaN, hasMax ? max : NaN);
  for (const side of [h.positive, h.negative]) {
    shown.push(side.size);
    for (const index of [...side.keys()].sort((a, b) => a - b)) shown.push(index, side.get(index)!);
  }
  return shown;
}

/** The difference of two, as a list of lines for each, or `undefined` where they are the same. */
export function differenceOf(
  found: ShownPoints,
  expected: ShownPoints,
): { found: string[]; expected: string[] } | undefined {
  let isSame = found.size === expected.size;
  for (const [name, points] of found) {
    if (!isSame) break;
    isSame = areSame(points, expected.get(name));
  }
  if (isSame) return undefined;
  const [a, b] = [lines(found), lines(expected)];
  if (a.join() === b.join()) return undefined;
  return { found: a.filter((line) => !b.includes(line)), expected: b.filter((line) => !a.includes(line)) };
}

function areSame(a: readonly Shown[], b: readonly Shown[] | undefined): boolean {
  if (b === undefined || a.length !== b.length) return false;
  return a.every((point, i) => {
    const other = b[i];
    if (point.length !== other.length) return false;
    for (let at = 0; at < point.length; at++) if (!isSameNumber(point[at], other[at], at)) return false;
    return true;
  });
}

/** Before this place a point has its times and whether there is a value. */
const firstOfValue = 3;
/** Means are no whole numbers or quarters, so the order in which they are added shows: docs/aggregation.md, "Exactness". */
const rounding = 1e-12;

function isSameNumber(a: number, b: number, at: number): boolean {
  // A number and its negative zero are one value.
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true;
  return at >= firstOfValue && Math.abs(a - b) <= rounding * Math.max(1, Math.abs(a), Math.abs(b));
}

/** One line a point, in one order. */
function lines(points: ShownPoints): string[] {
  const all: string[] = [];
  for (const [name, list] of points)
    for (const [startUs, timeUs, isNothing, ...value] of list)
      all.push(
        `${name}: ${isNothing === 1 ? 'no recorded value' : value.map((part) => part + 0).join(' ')} from ${startUs} to ${timeUs}`,
      );
  return all.sort();
}
