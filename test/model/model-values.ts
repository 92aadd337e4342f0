import type { MetricDescription } from '../../otel/model/metric.ts';
import {
  isNothing,
  type ModelHistogram,
  modelCount,
  modelHistogram,
  modelSum,
  modelTogether,
} from '../otel/state/exponential-model.ts';

/*
 * Values of series in plain objects, and what can be done with them. A sum or gauge is a list of one number, an explicit histogram its
 * bucket counts and then its sum, a summary its count, its sum and its quantiles' values; an exponential histogram is a map from bucket index to count.
 */

export type Amount = readonly number[] | ModelHistogram;

/** What a source says of a series at one time. NaN: no minimum, no maximum. */
export interface Reading {
  readonly value: Amount;
  readonly min: number;
  readonly max: number;
}

export function isExponential(amount: Amount): amount is ModelHistogram {
  return !Array.isArray(amount);
}

export function zeroOf({ kind, explicitBounds, quantiles }: MetricDescription): Amount {
  if (kind === 'exponential_histogram') return modelHistogram();
  const width =
    kind === 'histogram' ? explicitBounds.length + 2 : kind === 'summary' ? quantiles.length + 2 : 1;
  return Array<number>(width).fill(0);
}

/** Sums that never fall, and what histograms count. */
export function isCounter({ kind, isMonotonic }: MetricDescription): boolean {
  return isMonotonic || kind === 'histogram' || kind === 'exponential_histogram';
}

export function plus(a: Amount, b: Amount): Amount {
  return combined(a, b, 1);
}

export function minus(a: Amount, b: Amount): Amount {
  return combined(a, b, -1);
}

function combined(a: Amount, b: Amount, factor: 1 | -1): Amount {
  if (isExponential(a) || isExponential(b)) {
    const [one, other] = [a, b] as [ModelHistogram, ModelHistogram];
    // What counts nothing has no say in the threshold.
    return modelSum(isNothing(one) ? modelHistogram({ sum: one.sum }) : one, other, factor);
  }
  return a.map((part, i) => part + factor * b[i]);
}

/** Whether a value may follow one that is held within an epoch: no count is below it. */
export function goesOn({ kind }: MetricDescription, value: Amount, held: Amount): boolean {
  if (isExponential(value) || isExponential(held)) {
    const [now, before] = modelTogether(value as ModelHistogram, held as ModelHistogram);
    if (now.zeroCount < before.zeroCount) return false;
    return [
      [now.positive, before.positive],
      [now.negative, before.negative],
    ].every(([side, low]) => [...low].every(([index, count]) => (side.get(index) ?? 0) >= count));
  }
  const counts = kind === 'histogram' ? held.length - 1 : 1;
  for (let i = 0; i < counts; i++) if (value[i] < held[i]) return false;
  return true;
}

/** Whether both count the same, whatever their sums are. */
export function countsSame(of: MetricDescription, a: Amount, b: Amount): boolean {
  return goesOn(of, a, b) && goesOn(of, b, a);
}

/** What is held after a value was taken. An exponential histogram never becomes finer within an epoch. */
export function heldAfter(value: Amount, held: Amount | undefined): Amount {
  if (held === undefined || !isExponential(value)) return value;
  const before = held as ModelHistogram;
  return isNothing(before) ? value : modelTogether(value, before)[0];
}

/** What the ledger books of it: a sum's value, a histogram's count. */
export function countOf({ kind }: MetricDescription, amount: Amount): number {
  if (isExponential(amount)) return modelCount(amount);
  const counts = kind === 'histogram' ? amount.slice(0, -1) : amount;
  return counts.reduce((total, count) => total + count, 0);
}

export function isSame(a: Amount, b: Amount): boolean {
  if (isExponential(a) || isExponential(b)) return isSameHistogram(a as ModelHistogram, b as ModelHistogram);
  return a.every((part, i) => Object.is(part, b[i]));
}

function isSameHistogram(a: ModelHistogram, b: ModelHistogram): boolean {
  const isSameSide = (one: Map<number, number>, other: Map<number, number>) =>
    one.size === other.size && [...one].every(([index, count]) => other.get(index) === count);
  return (
    a.scale === b.scale &&
    a.zeroThreshold === b.zeroThreshold &&
    a.zeroCount === b.zeroCount &&
    a.sum === b.sum &&
    isSameSide(a.positive, b.positive) &&
    isSameSide(a.negative, b.negative)
  );
}
