import type { PointBatch } from '../state/point-batch.ts';
import type { Family, FamilyPart } from './families.ts';
import { boundText, numberText } from './number-text.ts';
import type { PointWriter } from './point-writers.ts';

/** `le` is 0 and the powers of two from 2^-20 (a millionth) to 2^40 (a million million), whatever the values are. */
const lowestExponent = -20;
const highestExponent = 40;
const bounds = Array.from(
  { length: highestExponent - lowestExponent + 1 },
  (_, k) => 2 ** (lowestExponent + k),
);

/**
 * Exponential histograms as classic ones: the text formats have no native histograms, and the compatibility specification allows fixed buckets. Powers of two are
 * bounds of the buckets of every scale from 0 up, so what stands at an `le` is exact, and the same `le` are there at each scrape whatever the scale becomes.
 *
 * A bound that cannot be told exactly has no line: at negative scales those within a bucket, and those below the zero threshold. Buckets below zero
 * have no lines of their own, since their bounds belong to the wrong side; they are part of all others.
 */
export function exponentialWriter(family: Family, part: FamilyPart, openMetrics: boolean): PointWriter {
  const { hasSum } = part.stream.metric;
  const bucketStart = `${family.name}_bucket{${part.labels}`;
  const sumStart = `${family.name}_sum{${part.labels}`;
  const countStart = `${family.name}_count{${part.labels}`;
  const zeroEnd = `,le="${boundText(0, openMetrics)}"} `;
  const ends = bounds.map((bound) => `,le="${boundText(bound, openMetrics)}"} `);
  const cumulative = new Float64Array(bounds.length);

  return (text, batch, i, labels) => {
    const { exponential } = batch;
    const scale = exponential.scales[i]!;
    const zeroThreshold = exponential.zeroThresholds[i]!;
    const below = sumOf(exponential.counts, exponential.negativeStarts[i]!, exponential.negativeLengths[i]!);
    const notAbove = below + exponential.zeroCounts[i]!;
    const count = addUp(batch, i, notAbove, cumulative);
    let lines = 2;
    if (zeroThreshold === 0) {
      text.out += `${bucketStart}${labels}${zeroEnd}${notAbove}\n`;
      lines++;
    }
    for (let k = 0; k < bounds.length; k++) {
      if (bounds[k]! < zeroThreshold || !isBound(lowestExponent + k, scale)) continue;
      text.out += `${bucketStart}${labels}${ends[k]}${cumulative[k]}\n`;
      lines++;
    }
    text.out += `${bucketStart}${labels},le="+Inf"} ${count}\n`;
    // A sum over values below zero may fall, and Prometheus would take that for a restart.
    if (hasSum && below === 0 && batch.sums[i]! >= 0) {
      text.out += `${sumStart}${labels}} ${numberText(batch.sums[i]!)}\n`;
      lines++;
    }
    text.out += `${countStart}${labels}} ${count}\n`;
    return lines;
  };
}

/** Whether 2^exponent is between two buckets of the scale. */
function isBound(exponent: number, scale: number): boolean {
  return scale >= 0 || exponent % 2 ** -scale === 0;
}

/** Fills in how much is at most each bound; gives how much there is. Bounds within a bucket get what is below that bucket. */
function addUp({ exponential }: PointBatch, i: number, notAbove: number, cumulative: Float64Array): number {
  const { counts } = exponential;
  const start = exponential.positiveStarts[i]!;
  const length = exponential.positiveLengths[i]!;
  const offset = exponential.positiveOffsets[i]!;
  const perPower = 2 ** exponential.scales[i]!;
  let total = notAbove;
  let b = 0;
  for (let k = 0; k < cumulative.length; k++) {
    // Bucket `b` ends at 2^((offset + b + 1) / perPower).
    const end = Math.floor((lowestExponent + k) * perPower);
    for (; b < length && offset + b + 1 <= end; b++) total += counts[start + b]!;
    cumulative[k] = total;
  }
  for (; b < length; b++) total += counts[start + b]!;
  return total;
}

function sumOf(counts: Float64Array, start: number, length: number): number {
  let sum = 0;
  for (let b = start; b < start + length; b++) sum += counts[b]!;
  return sum;
}
