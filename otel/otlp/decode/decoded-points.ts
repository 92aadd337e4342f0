import { InvalidDataError } from '../../../proto/error.ts';

/** Of {@link DecodedPoints.flags}: the series has no value at this time. */
export const noRecordedValueFlag = 1;
/** No field of the value's oneof is there. */
export const valueMissingFlag = 2;
/** What it counts is not the sum of its buckets. */
export const miscountedFlag = 4;

/** Numbers of one request, beyond the columns: 32 MiB. */
const maxNumbers = 4 * 1024 * 1024;
const firstRows = 1024;

/** Where a histogram's numbers begin in {@link DecodedPoints.numbers}; buckets or quantile values follow. */
export const histogramNumbers = { sum: 0, min: 1, max: 2, buckets: 3 } as const;
export const exponentialNumbers = {
  sum: 0,
  min: 1,
  max: 2,
  scale: 3,
  zeroThreshold: 4,
  zeroCount: 5,
  positiveOffset: 6,
  positiveLength: 7,
  negativeOffset: 8,
  negativeLength: 9,
  buckets: 10,
} as const;
export const summaryNumbers = { sum: 0, count: 1, values: 2 } as const;

/**
 * The points of one request, in columns by their place in it. Valid until the next request is decoded. What a point is of (its attributes, and of
 * histograms and summaries their bounds and quantiles) is in `series`, an id of KnownBytes, or 0 where that is not kept; its bytes are
 * `[starts, ends)` of the request.
 */
export class DecodedPoints {
  size = 0;
  readonly #maxPoints: number;
  series = new Uint32Array(firstRows);
  starts = new Uint32Array(firstRows);
  ends = new Uint32Array(firstRows);
  /** Microseconds since the Unix epoch; 0: not given. */
  startUs = new Float64Array(firstRows);
  timeUs = new Float64Array(firstRows);
  /** Sums and gauges. */
  values = new Float64Array(firstRows);
  flags = new Uint8Array(firstRows);
  /** Of sums and gauges 1 for a double; of histograms 1 where there is a sum. */
  variants = new Uint8Array(firstRows);
  /** Others than sums and gauges: where its numbers are, and how many buckets or quantile values stand last. */
  at = new Uint32Array(firstRows);
  widths = new Uint32Array(firstRows);
  numbers = new Float64Array(firstRows);
  numbersSize = 0;

  constructor(maxPoints: number) {
    this.#maxPoints = maxPoints;
  }

  clear(): void {
    this.size = 0;
    this.numbersSize = 0;
  }

  /** One more row. @throws InvalidDataError when there are too many */
  add(): number {
    const row = this.size;
    if (row >= this.#maxPoints)
      throw new InvalidDataError(
        `the request has more than ${this.#maxPoints} data points: send fewer at a time`,
      );
    this.size++;
    if (row < this.series.length) return row;
    const rows = Math.min(this.#maxPoints, row * 2);
    this.series = grown(this.series, rows, Uint32Array);
    this.starts = grown(this.starts, rows, Uint32Array);
    this.ends = grown(this.ends, rows, Uint32Array);
    this.startUs = grown(this.startUs, rows, Float64Array);
    this.timeUs = grown(this.timeUs, rows, Float64Array);
    this.values = grown(this.values, rows, Float64Array);
    this.flags = grown(this.flags, rows, Uint8Array);
    this.variants = grown(this.variants, rows, Uint8Array);
    this.at = grown(this.at, rows, Uint32Array);
    this.widths = grown(this.widths, rows, Uint32Array);
    return row;
  }

  /** Room for so many numbers, which are not set. Gives where. @throws InvalidDataError when there are too many */
  addNumbers(count: number): number {
    const at = this.numbersSize;
    this.numbersSize += count;
    if (this.numbersSize > maxNumbers)
      throw new InvalidDataError(
        `the request's histograms and summaries hold more than ${maxNumbers} numbers: send fewer at a time`,
      );
    if (this.numbersSize > this.numbers.length)
      this.numbers = grown(this.numbers, Math.max(this.numbersSize, this.numbers.length * 2), Float64Array);
    return at;
  }
}

function grown<T extends Uint8Array | Uint32Array | Float64Array>(
  column: T,
  length: number,
  make: new (length: number) => T,
): T {
  const longer = new make(length);
  longer.set(column);
  return longer;
}
