const word = 2 ** 32;
/** The first microsecond whose nanoseconds do not fit in 64 bits: in the year 2554. */
const endUs = 2 ** 64 / 1000;

/**
 * Nanoseconds since the Unix epoch as the two halves of a 64-bit number, from microseconds as a double. A double cannot hold
 * today's nanoseconds exactly, so nothing is multiplied before it is split: every whole microsecond comes out exact, and a
 * fraction is rounded to the nanosecond. Keeps the last result, since most points of a collection have one time.
 */
export class UnixNanos {
  low = 0;
  high = 0;
  #timeUs = 0;

  /** Negative, not finite or beyond the year 2554 becomes 0, which is "unknown". */
  set(timeUs: number): void {
    if (timeUs === this.#timeUs) return;
    this.#timeUs = timeUs;
    if (!(timeUs > 0 && timeUs < endUs)) {
      this.low = 0;
      this.high = 0;
      return;
    }
    const whole = Math.floor(timeUs);
    const wholeHigh = Math.floor(whole / word);
    const low = (whole - wholeHigh * word) * 1000 + Math.round((timeUs - whole) * 1000);
    const carry = Math.floor(low / word);
    this.low = low - carry * word;
    this.high = wholeHigh * 1000 + carry;
  }
}

/** The same as decimal digits, for OTLP/JSON. */
export function unixNanosText(timeUs: number): string {
  const nanos = new UnixNanos();
  nanos.set(timeUs);
  return ((BigInt(nanos.high) << 32n) | BigInt(nanos.low)).toString();
}
