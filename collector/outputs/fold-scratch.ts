import { ExponentialScratch } from './exponential-scratch.ts';

/** Input series that are added up at a time: a fraction of a millisecond. */
export const inputsPerRead = 32_768;

/**
 * What a folding output needs while it is read, since a read may take turns with other work: its inputs are added up first, in places
 * `0..inputs`, and then its points are read, in places `inputs..inputs + points`. Each reader has one, for the one output that it reads at
 * the moment; what is attached meanwhile is seen by the next collection.
 */
export class FoldScratch {
  inputs = 0;
  points = 0;
  /** So many numbers for each point as the output likes. */
  totals = new Float64Array(0);
  /** A time for each point. */
  times = new Float64Array(0);
  /** For outputs of exponential histograms, which need another order. */
  readonly exponential = new ExponentialScratch();

  /** Begins to read an output. `totals` and `times` have room, and hold what they held. */
  begin(inputs: number, points: number, width = 1): void {
    this.inputs = inputs;
    this.points = points;
    const length = points * width;
    if (this.totals.length < length) this.totals = new Float64Array(length + (length >>> 1));
    if (this.times.length < points) this.times = new Float64Array(points + (points >>> 1));
  }
}
