import type { MetricDescription } from '../../otel/model/metric.ts';
import { type ModelHistogram, modelDownscaled, modelRaised } from '../otel/state/exponential-model.ts';
import { type Amount, isExponential, type Reading, zeroOf } from './model-values.ts';

// What is measured: values of all kinds that follow from a number. Whole numbers and quarters, so that sums in any order are exact.

/** A number below `below` for a seed and a place. For seed 0 all are 0, which is what a failing sequence shrinks to. */
export function draw(seed: number, place: number, below: number): number {
  if (seed === 0) return 0;
  let mixed = Math.imul(seed ^ Math.imul(place + 1, 0x9e3779b1), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0xc2b2ae35);
  return ((mixed ^ (mixed >>> 13)) >>> 0) % below;
}

/** The finest scale at which exponential histograms are measured. */
const finestScale = 2;

/** What comes next of a series, and the range of what was measured for it. */
export function grown(of: MetricDescription, value: Amount, seed: number, place: number): Reading {
  const at = (i: number, below: number) => draw(seed, 16 * place + i, below);
  const noRange = { min: NaN, max: NaN };
  if (isExponential(value)) return grownExponential(value, at);
  switch (of.kind) {
    case 'gauge': {
      const isChanged = at(0, 4) !== 0;
      return { value: isChanged ? [(at(1, 41) - 20) * 0.25] : value, ...noRange };
    }
    case 'sum': {
      const step = of.isMonotonic ? at(0, 41) : seed === 0 ? 0 : at(0, 41) - 20;
      return { value: [value[0] + step * (of.valueType === 'int' ? 1 : 0.25)], ...noRange };
    }
    case 'histogram': {
      const added = at(0, 5);
      const bucket = at(1, value.length - 1);
      const measured = bucket + 0.5;
      const sum = value.length - 1;
      const next = value.map((part, i) => part + (i === bucket ? added : i === sum ? added * measured : 0));
      return { value: next, ...(added === 0 ? noRange : { min: measured, max: measured + 0.25 }) };
    }
    default: {
      const [count, sum, ...rest] = value;
      const added = at(0, 9);
      return { value: [count + added, sum + added * 0.5, ...rest.map((_, i) => at(1 + i, 9))], ...noRange };
    }
  }
}

function grownExponential(value: ModelHistogram, at: (i: number, below: number) => number): Reading {
  const next = {
    ...value,
    scale: finestScale,
    positive: new Map(value.positive),
    negative: new Map(value.negative),
  };
  const added = at(0, 5);
  if (added === 0) return { value: next, min: NaN, max: NaN };
  const place = at(1, 8);
  const index = at(2, 17) - 4;
  if (place === 0) next.zeroCount += added;
  else {
    const side = place < 6 ? next.positive : next.negative;
    side.set(index, (side.get(index) ?? 0) + added);
  }
  const measured = place === 0 ? 0 : place < 6 ? index : -index;
  next.sum += added * measured;
  return { value: next, min: measured, max: measured + 0.5 };
}

/** A source may show its buckets coarser than it holds them, or what is about zero in one. */
export function shownBySource(reading: Reading, seed: number, place: number): Reading {
  const { value } = reading;
  if (!isExponential(value)) return reading;
  const coarser = modelDownscaled(value, finestScale - draw(seed, 16 * place + 8, 3));
  return { ...reading, value: draw(seed, 16 * place + 9, 4) === 1 ? modelRaised(coarser, 1) : coarser };
}

/** What a counter has at the beginning of a life. */
export function firstOf(of: MetricDescription, seed: number): Amount {
  return grown(of, zeroOf(of), seed, 0).value;
}
