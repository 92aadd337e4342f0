import { ExponentialCounts } from '../../otel/state/exponential-counts.ts';
import type { FoldPoints } from './fold-points.ts';

/** Inputs that are put in order at a time: a fraction of a millisecond. */
const inputsPerTurn = 32_768;

/** How an output makes its points, one after the other: it begins one, adds its series, and ends it. */
export interface PointFold {
  begin(point: number): void;
  add(slot: number): void;
  /** Ends it, or, where that is still possible, gives true: then its series are added up once more, after another begin. */
  end(point: number, mayRepeat: boolean): boolean;
}

/**
 * What an output of exponential histograms needs while it is read. Its points are added up one after the other, since one takes as much room
 * as hundreds of numbers: so its inputs are first put in the order of their points, in places `0..ordered`, and then added up, in places
 * from there on. What is attached meanwhile is seen by the next collection.
 */
export class ExponentialScratch {
  /** What has been added up of the point at hand. */
  readonly total = new ExponentialCounts();
  /** Of an output over values: the smallest and the greatest of the point at hand; NaN while there is none. */
  min = NaN;
  max = NaN;
  readonly delta = new ExponentialCounts();
  #inputs = 0;
  #points = 0;
  /** Inputs in the order of their points: those of point `p` are `order[ends[p - 1], ends[p])`, once all are in order. */
  #order = new Uint32Array(0);
  #ends = new Uint32Array(0);
  /** The point at hand, whether it has begun, and which input comes next, as a place in `#order`. */
  #point = 0;
  #hasBegun = false;
  #isRepeated = false;
  #next = 0;

  begin(inputs: number, points: number): void {
    this.#inputs = inputs;
    this.#points = points;
    if (this.#order.length < inputs) this.#order = new Uint32Array(inputs + (inputs >>> 1));
    if (this.#ends.length < points) this.#ends = new Uint32Array(points + (points >>> 1));
    this.#ends.fill(0, 0, points);
    this.#point = 0;
    this.#hasBegun = false;
    this.#isRepeated = false;
    this.#next = 0;
  }

  /** The place from which all inputs are in order. */
  get ordered(): number {
    return 2 * this.#inputs;
  }

  /** Points that are yet to be made. */
  get left(): number {
    return this.#points - this.#point;
  }

  /** Puts inputs in order, from a place below `ordered`. Gives the place to go on from. */
  putInOrder({ targets }: FoldPoints, from: number): number {
    const inputs = this.#inputs;
    const ends = this.#ends;
    const { items } = targets;
    if (from < inputs) {
      const end = Math.min(inputs, from + inputsPerTurn);
      for (let i = from; i < end; i++) ends[items[i]]++;
      if (end === inputs) this.#begins();
      return end;
    }
    const end = Math.min(inputs, from - inputs + inputsPerTurn);
    for (let i = from - inputs; i < end; i++) this.#order[ends[items[i]]++] = i;
    return inputs + end;
  }

  /** Goes on making points, with at most so much work: an input, or the end of a point, is 1. */
  goOn({ slots }: FoldPoints, work: number, fold: PointFold): void {
    while (this.#point < this.#points && work > 0) {
      const point = this.#point;
      if (!this.#hasBegun) {
        fold.begin(point);
        this.#hasBegun = true;
      }
      const end = this.#ends[point];
      for (; this.#next < end && work > 0; work--) fold.add(slots.items[this.#order[this.#next++]]);
      if (work === 0) return;
      work--;
      this.#hasBegun = false;
      if (fold.end(point, !this.#isRepeated)) {
        this.#isRepeated = true;
        this.#next = point === 0 ? 0 : this.#ends[point - 1];
        continue;
      }
      this.#isRepeated = false;
      this.#point++;
    }
  }

  /** Turns how many inputs each point has into where they begin; with each that is put there it moves on, to where they end. */
  #begins(): void {
    let begin = 0;
    for (let point = 0; point < this.#points; point++) {
      const count = this.#ends[point];
      this.#ends[point] = begin;
      begin += count;
    }
  }
}
