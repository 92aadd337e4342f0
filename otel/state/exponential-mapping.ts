/**
 * Where a value lies in an exponential histogram, after OpenTelemetry's data model: at a scale, bucket `index` holds
 * (base^index, base^(index + 1)] with base = 2^(2^-scale), the upper boundary included. Boundaries are irrational but for powers
 * of two, so a value near one is placed by exact arithmetic; all else by a logarithm whose error is known to be too small to matter.
 */

/** The finest scale there is: what the SDKs begin with. Indexes of all doubles fit into 31 bits. */
export const maxScale = 20;
/** The coarsest scale that is taken: one bucket above 1, and one below down to 2^-1024. */
export const minScale = -10;
/** The coarsest that is made of it: one bucket above 1 and one below, which fit wherever two do. */
export const coarsestScale = -11;

const perOctave = 2 ** maxScale;
/** Math.log2 of [1, 2) is off by less than 2^-52: its multiple by less than 2^-32. */
const uncertain = 2 ** -28;
const fixedBits = 256n;

const bits = new DataView(new ArrayBuffer(8));

/** The bucket that holds a positive finite value. Coarser scales are exactly the index of a finer one, shifted right by the difference. */
export function bucketIndex(value: number, scale: number): number {
  bits.setFloat64(0, value);
  let high = bits.getUint32(0);
  let exponent = (high >>> 20) - 1023;
  if (exponent === -1023) {
    // Subnormal: the same value, with its leading digit where it is with others.
    bits.setFloat64(0, value * 2 ** 54);
    high = bits.getUint32(0);
    exponent = (high >>> 20) - 1023 - 54;
  }
  const fraction = high & 0xfffff;
  if (fraction === 0 && bits.getUint32(4) === 0)
    return scale > 0 ? exponent * 2 ** scale - 1 : (exponent - 1) >> -scale;
  if (scale <= 0) return exponent >> -scale;
  bits.setUint32(0, fraction | 0x3ff00000);
  return (exponent * perOctave + withinOctave(bits.getFloat64(0))) >> (maxScale - scale);
}

/** The index of a value in (1, 2) at the finest scale. */
function withinOctave(value: number): number {
  const at = Math.log2(value) * perOctave;
  if (Math.abs(at - Math.round(at)) > uncertain) return Math.floor(at);
  return exactlyWithinOctave(value);
}

/**
 * The same by squaring: each square tells one binary digit of the logarithm. With 256 bits after the point the digits are right
 * unless the value is within 2^-230 of a boundary, and the 2^20 boundaries come no closer than about 2^-75 to any double.
 */
function exactlyWithinOctave(value: number): number {
  let x = BigInt(value * 2 ** 52) << (fixedBits - 52n);
  let index = 0;
  for (let digit = 0; digit < maxScale; digit++) {
    x = (x * x) >> fixedBits;
    index *= 2;
    if (x >> fixedBits >= 2n) {
      x >>= 1n;
      index++;
    }
  }
  return index;
}

/** The upper boundary of a bucket: the greatest double that it holds. 0 where none does, being below them all. */
export function upperBoundary(index: number, scale: number): number {
  const steps = index + 1;
  if (scale <= 0 || steps % 2 ** scale === 0) {
    const exponent = steps * 2 ** -scale;
    return exponent >= 1024 ? Number.MAX_VALUE : 2 ** exponent;
  }
  const octave = Math.floor(steps / 2 ** scale);
  let boundary = 2 ** (steps / 2 ** scale - octave) * 2 ** octave;
  if (boundary > Number.MAX_VALUE) return Number.MAX_VALUE;
  while (boundary > 0 && bucketIndex(boundary, scale) > index) boundary = neighbour(boundary, -1n);
  for (;;) {
    const above = neighbour(boundary, 1n);
    if (above > Number.MAX_VALUE || bucketIndex(above, scale) > index) return boundary;
    boundary = above;
  }
}

/** The next double above (1n) or below (-1n) one that is not negative. */
export function neighbour(value: number, step: bigint): number {
  bits.setFloat64(0, value);
  bits.setBigUint64(0, bits.getBigUint64(0) + step);
  return bits.getFloat64(0);
}

/** Whether a bucket holds any double, or what is just beyond the greatest and smallest. Indexes of others could not be brought to one scale. */
export function isIndex(index: number, scale: number): boolean {
  const octaves = 2 ** -scale;
  return Number.isInteger(index) && (index + 1) * octaves > -1076 && index * octaves < 1025;
}
