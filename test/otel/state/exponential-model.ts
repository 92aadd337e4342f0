// Exponential histograms as plain objects, after the OpenTelemetry data model, and where values lie by exact arithmetic of whole numbers.

export interface ModelHistogram {
  scale: number;
  zeroThreshold: number;
  zeroCount: number;
  /** Counts by bucket index; none is zero. */
  positive: Map<number, number>;
  negative: Map<number, number>;
  sum: number;
}

export function modelHistogram(of: Partial<ModelHistogram> = {}): ModelHistogram {
  return {
    scale: 0,
    zeroThreshold: 0,
    zeroCount: 0,
    positive: new Map(),
    negative: new Map(),
    sum: 0,
    ...of,
  };
}

/** Below 0, 0 or above 0 as a positive value is to 2^(steps / 2^scale), exactly. For scales up to about 10. */
export function compareToBoundary(value: number, steps: number, scale: number): number {
  // value = digits * 2^exponent; both sides to the power of 2^scale, or the boundary's steps times 2^-scale.
  let exponent = 0;
  while (!Number.isInteger(value)) {
    value *= 2;
    exponent--;
  }
  const power = scale > 0 ? 2 ** scale : 1;
  const left = BigInt(value) ** BigInt(power);
  const right = (scale > 0 ? steps : steps * 2 ** -scale) - exponent * power;
  if (right < 0) return 1;
  const boundary = 1n << BigInt(right);
  return left < boundary ? -1 : left > boundary ? 1 : 0;
}

/** The bucket that holds a positive value: above its lower boundary, and at most at the upper one. */
export function modelIndex(value: number, scale: number): number {
  let index = Math.floor(Math.log2(value) * 2 ** scale);
  while (compareToBoundary(value, index, scale) <= 0) index--;
  while (compareToBoundary(value, index + 1, scale) > 0) index++;
  return index;
}

const boundaries = new Map<string, number>();
const bits = new DataView(new ArrayBuffer(8));

/** The greatest double that is at most the upper boundary of a bucket, found by halving. */
export function modelBoundary(index: number, scale: number): number {
  const key = `${index} ${scale}`;
  let found = boundaries.get(key);
  if (found !== undefined) return found;
  let low = 0n;
  let high = 0x7ff0000000000000n;
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    bits.setBigUint64(0, middle);
    if (compareToBoundary(bits.getFloat64(0), index + 1, scale) <= 0) low = middle;
    else high = middle;
  }
  bits.setBigUint64(0, low);
  found = bits.getFloat64(0);
  boundaries.set(key, found);
  return found;
}

function collect(into: Map<number, number>, from: Map<number, number>, by: number, factor: number): void {
  for (const [index, count] of from) {
    const to = Math.floor(index / 2 ** by);
    const sum = (into.get(to) ?? 0) + factor * count;
    if (sum === 0) into.delete(to);
    else into.set(to, sum);
  }
}

export function modelDownscaled(h: ModelHistogram, scale: number): ModelHistogram {
  const by = h.scale - scale;
  const positive = new Map<number, number>();
  const negative = new Map<number, number>();
  collect(positive, h.positive, by, 1);
  collect(negative, h.negative, by, 1);
  return { ...h, scale, positive, negative };
}

/** What is below the threshold goes to the zero count; a bucket that it is within takes it to its upper boundary. */
export function modelRaised(h: ModelHistogram, threshold: number): ModelHistogram {
  if (threshold <= h.zeroThreshold) return h;
  let to = threshold;
  for (const side of [h.positive, h.negative])
    for (const index of side.keys())
      if (modelBoundary(index - 1, h.scale) < threshold) to = Math.max(to, modelBoundary(index, h.scale));
  const raised = { ...h, zeroThreshold: to, positive: new Map(h.positive), negative: new Map(h.negative) };
  for (const side of [raised.positive, raised.negative])
    for (const [index, count] of side) {
      if (modelBoundary(index, h.scale) > to) continue;
      raised.zeroCount += count;
      side.delete(index);
    }
  return raised;
}

export function hasBuckets(h: ModelHistogram): boolean {
  return h.positive.size > 0 || h.negative.size > 0;
}

/** Both at one scale and one zero threshold. */
export function modelTogether(a: ModelHistogram, b: ModelHistogram): [ModelHistogram, ModelHistogram] {
  const scales = [a, b].filter(hasBuckets).map(({ scale }) => scale);
  const scale = scales.length === 0 ? Math.min(a.scale, b.scale) : Math.min(...scales);
  const at = (h: ModelHistogram) => (hasBuckets(h) ? modelDownscaled(h, scale) : { ...h, scale });
  let one = at(a);
  let other = at(b);
  for (let turn = 0; turn < 3; turn++) {
    one = modelRaised(one, other.zeroThreshold);
    other = modelRaised(other, one.zeroThreshold);
  }
  return [one, other];
}

/** a + factor * b. What counts nothing has no say in scale and threshold. */
export function modelSum(a: ModelHistogram, b: ModelHistogram, factor: 1 | -1 = 1): ModelHistogram {
  const sum = a.sum + factor * b.sum;
  if (isNothing(b)) return { ...a, sum };
  if (isNothing(a) && factor === 1) return { ...b, sum };
  const [one, other] = modelTogether(a, b);
  const positive = new Map(one.positive);
  const negative = new Map(one.negative);
  collect(positive, other.positive, 0, factor);
  collect(negative, other.negative, 0, factor);
  return { ...one, positive, negative, zeroCount: one.zeroCount + factor * other.zeroCount, sum };
}

export function isNothing(h: ModelHistogram): boolean {
  return h.zeroCount === 0 && !hasBuckets(h);
}

export function modelCount(h: ModelHistogram): number {
  let count = h.zeroCount;
  for (const side of [h.positive, h.negative]) for (const bucket of side.values()) count += bucket;
  return count;
}

/** By joining buckets until either side spans at most so many. */
export function modelFitted(h: ModelHistogram, maxSize: number): ModelHistogram {
  for (;;) {
    const spans = [h.positive, h.negative].map((side) =>
      side.size === 0 ? 0 : Math.max(...side.keys()) - Math.min(...side.keys()) + 1,
    );
    if (Math.max(...spans) <= maxSize) return h;
    h = modelDownscaled(h, h.scale - 1);
  }
}

/** For comparison: what has no buckets has no scale. */
export function plain(h: ModelHistogram): object {
  const sorted = (side: Map<number, number>) => [...side].sort(([a], [b]) => a - b);
  return {
    scale: hasBuckets(h) ? h.scale : undefined,
    zeroThreshold: isNothing(h) ? undefined : h.zeroThreshold,
    zeroCount: h.zeroCount,
    positive: sorted(h.positive),
    negative: sorted(h.negative),
    sum: h.sum,
  };
}
