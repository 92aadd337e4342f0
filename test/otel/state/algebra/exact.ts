// Doubles without rounding: whole multiples of 2^-1074, of which every finite double is one.

const bits = new DataView(new ArrayBuffer(8));

/** A finite double as a whole number of the smallest double there is. */
export function exact(value: number): bigint {
  bits.setFloat64(0, value);
  const all = bits.getBigUint64(0);
  const exponent = (all >> 52n) & 0x7ffn;
  const fraction = all & 0xfffffffffffffn;
  const magnitude = exponent === 0n ? fraction : (fraction | 0x10000000000000n) << (exponent - 1n);
  return all >> 63n === 0n ? magnitude : -magnitude;
}

export function exactSum(values: Iterable<number>): bigint {
  let sum = 0n;
  for (const value of values) sum += exact(value);
  return sum;
}

export function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}

export function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

/** So many roundings of numbers that are at most so large, each by at most 2^-53 of them; and what those roundings are rounded by. */
export function rounded(roundings: number, largest: bigint): bigint {
  // (1 + u)^k - 1 is below k u / (1 - k u): for the k of these tests, below k u (1 + 2^-30).
  const of = (BigInt(roundings) * largest) / 2n ** 53n + 1n;
  return of + of / 2n ** 30n;
}

/** Doubles where adding goes wrong: huge, tiny, next to 2^53, zeros of both signs. All together, a hundred of them are finite. */
export const adversarial: readonly number[] = [
  1e306,
  2 ** 1000,
  2 ** 53 - 1,
  2 ** 53,
  2 ** 53 + 2,
  2 ** 54 + 4,
  1 + 2 ** -52,
  1,
  0.1,
  1 / 3,
  2 ** -53,
  2 ** -1022,
  5e-324,
  0,
  -0,
];
