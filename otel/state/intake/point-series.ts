import { ColumnPart } from '../../snapshot/column-part.ts';
import { CountPart } from '../../snapshot/number-parts.ts';
import type { SnapshotPart } from '../../snapshot/snapshot-part.ts';
import { Float64Column, Uint8Column, Uint32Column } from '../columns.ts';
import type { SamplingClocks } from '../sampling-clocks.ts';

/** How a series' points came so far. `foreign`: none came, but a stream has reported the series before, until the clock's time. */
export const temporalities = { none: 0, cumulative: 1, delta: 2, foreign: 3 } as const;

const generationUnit = 2 ** 32;
/** Handles stay exact in a double. */
const generations = 2 ** 21;

/**
 * What is known of series whose points come one by one, beyond their slots: columns by the series' clock, of which each such series
 * has one of its own. A series is known to callers by its handle, `generation * 2^32 + clock`: the generation changes when the series is
 * freed, so that a handle which somebody kept does not reach the series that has the clock next.
 */
export class PointSeries {
  /** The slot in the state of the series' kind; 0: no series. */
  readonly slots = new Uint32Column();
  /** See kindCodeOf. */
  readonly kinds = new Uint8Column();
  /** See {@link temporalities}. */
  readonly temporalities = new Uint8Column();
  /** Cumulative: the start time of the current epoch as the source tells it, microseconds; 0 unknown. */
  readonly startsUs = new Float64Column();
  /** Cumulative: the time of the first point of the current epoch. */
  readonly firstsUs = new Float64Column();
  /** When a point was last taken, in seconds since the store's birth. */
  readonly seenAtS = new Uint32Column();
  /** Where its remembered delta intervals are; 0: it never got deltas. */
  readonly intervals = new Uint32Column();
  readonly #generations = new Uint32Column();
  readonly #clocks: SamplingClocks;
  #length = 0;
  #size = 0;

  constructor(clocks: SamplingClocks) {
    this.#clocks = clocks;
  }

  get size(): number {
    return this.#size;
  }

  /** Clocks of point series are below this. */
  get length(): number {
    return this.#length;
  }

  /** Takes a series in, whose slot is told next. Gives its clock. */
  add(kind: number, nowS: number): number {
    const clock = this.#clocks.acquire();
    if (clock >= this.#length) this.#grow(clock + 1);
    this.kinds.set(clock, kind);
    this.temporalities.set(clock, temporalities.none);
    this.startsUs.set(clock, 0);
    this.firstsUs.set(clock, 0);
    this.seenAtS.set(clock, nowS);
    this.intervals.set(clock, 0);
    this.#size++;
    return clock;
  }

  /** Whether the clock is that of a point series. */
  has(clock: number): boolean {
    return clock < this.#length && this.slots.get(clock) !== 0;
  }

  handleOf(clock: number): number {
    return (this.#generations.get(clock) + 1) * generationUnit + clock;
  }

  /** The clock of the series, or 0 when it has been freed. */
  clockOf(handle: number): number {
    const clock = handle >>> 0;
    return this.has(clock) && this.handleOf(clock) === handle ? clock : 0;
  }

  /** The series is no more, and its handle stands for nothing. */
  free(clock: number): void {
    this.slots.set(clock, 0);
    this.#generations.set(clock, (this.#generations.get(clock) + 1) % (generations - 1));
    this.#clocks.free(clock);
    this.#size--;
  }

  /** For a snapshot. */
  snapshotParts(): readonly SnapshotPart[] {
    const length = () => this.#length;
    return [
      new CountPart('clocks of points', length, (count) => {
        this.#length = count;
      }),
      new ColumnPart('slots of points', this.slots, length),
      new ColumnPart('kinds of points', this.kinds, length),
      new ColumnPart('temporalities', this.temporalities, length),
      new ColumnPart('start times', this.startsUs, length),
      new ColumnPart('times of first points', this.firstsUs, length),
      new ColumnPart('arrivals', this.seenAtS, length),
      new ColumnPart('rings of series', this.intervals, length),
      new ColumnPart('generations', this.#generations, length),
    ];
  }

  /** It has been loaded: counts what there is. */
  recount(): void {
    this.#size = 0;
    for (let clock = 1; clock < this.#length; clock++) if (this.slots.get(clock) !== 0) this.#size++;
  }

  #grow(length: number): void {
    this.#length = length;
    this.slots.grow(length);
    this.kinds.grow(length);
    this.temporalities.grow(length);
    this.startsUs.grow(length);
    this.firstsUs.grow(length);
    this.seenAtS.grow(length);
    this.intervals.grow(length);
    this.#generations.grow(length);
  }
}
