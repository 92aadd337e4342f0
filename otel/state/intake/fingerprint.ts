const double = new Float64Array(1);
const halves = new Uint32Array(double.buffer);

/** Mixes a number into a fingerprint of 32 bits, which begins with 0. */
export function mixed(fingerprint: number, value: number): number {
  double[0] = value;
  const low = Math.imul(fingerprint ^ halves[0]!, 0x85ebca6b);
  const high = Math.imul((low ^ (low >>> 15)) + halves[1]!, 0xc2b2ae35);
  return high ^ (high >>> 13);
}
