import {
  hasBuckets,
  type ModelHistogram,
  modelDownscaled,
  modelFitted,
  modelHistogram,
  modelIndex,
  modelRaised,
} from '../otel/state/exponential-model.ts';

// How outputs make exponential histograms, after docs/aggregation.md, on the plain maps of exponential-model.ts.

export interface ExponentialShape {
  readonly maxScale: number;
  readonly maxSize: number;
}

const indexes = new Map<number, Map<number, number>>();

/** modelIndex, remembered: the sequences have few values. */
function indexOf(value: number, scale: number): number {
  let known = indexes.get(scale);
  if (known === undefined) {
    known = new Map();
    indexes.set(scale, known);
  }
  let index = known.get(value);
  if (index === undefined) {
    index = modelIndex(value, scale);
    known.set(value, index);
  }
  return index;
}

function count(side: Map<number, number>, value: number, scale: number, by: number): void {
  const index = indexOf(value, scale);
  side.set(index, (side.get(index) ?? 0) + by);
}

/** At the finest scale at which it fits, and at least as coarse, from a threshold at least as high as a point was shown with before. */
export function shapedTo(h: ModelHistogram, shape: ExponentialShape, threshold = 0): ModelHistogram {
  let shaped = h.scale > shape.maxScale ? modelDownscaled(h, shape.maxScale) : h;
  if (!hasBuckets(shaped)) shaped = { ...shaped, scale: shape.maxScale };
  return modelFitted(modelRaised(shaped, threshold), shape.maxSize);
}

/** One measurement for each value; those that are not finite have no bucket. `undefined`: there is none. */
export function distributionOf(
  values: readonly number[],
  shape: ExponentialShape,
): (ModelHistogram & { min: number; max: number }) | undefined {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return undefined;
  const made = modelHistogram({ scale: shape.maxScale });
  for (const value of finite) {
    made.sum += value;
    if (value === 0) made.zeroCount++;
    else count(value < 0 ? made.negative : made.positive, Math.abs(value), shape.maxScale, 1);
  }
  return { ...shapedTo(made, shape), min: Math.min(...finite), max: Math.max(...finite) };
}

/** The double that follows. */
function above(value: number): number {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  bits.setBigUint64(0, bits.getBigUint64(0) + 1n);
  return bits.getFloat64(0);
}

/** An explicit histogram, its bucket counts and then its sum, as an exponential one: "Explicit histograms made exponential". The bounds are above zero. */
export function convertedFrom(
  counts: readonly number[],
  bounds: readonly number[],
  { maxScale }: ExponentialShape,
): ModelHistogram {
  const made = modelHistogram({ scale: maxScale, zeroThreshold: bounds[0], sum: counts.at(-1)! });
  counts.slice(0, -1).forEach((n, bucket) => {
    if (n === 0) return;
    if (bucket === 0) made.zeroCount += n;
    else if (bucket === bounds.length) count(made.positive, above(bounds[bucket - 1]), maxScale, n);
    else count(made.positive, Math.sqrt(bounds[bucket - 1] * bounds[bucket]), maxScale, n);
  });
  return made;
}
