import { ColumnPart } from '../snapshot/column-part.ts';
import { CountPart, FreeListPart } from '../snapshot/number-parts.ts';
import type { SnapshotPart } from '../snapshot/snapshot-part.ts';
import { Float64Column, Uint8Column, Uint32Column, Uint32List } from './columns.ts';

/** Bits of a series' status. */
export const counting = 1; // a value has come in the current epoch
export const present = 2; // its member is live and reports it: it takes part in gauges and up-down sums
export const ended = 4; // its epoch never returns; freed once every reader has seen the last state
export const fromZero = 8; // the current epoch began after the horizon, so its first value counts whole
export const withoutValue = 16; // the last report had no recorded value for it
export const isMonotonic = 32; // a value below the held one is refused
export const interrupted = 64; // what came since the held value may have been shown already: the next value is a baseline

/**
 * What a series is, in columns by slot: the part that all kinds share. Each kind of state has its own slots. Slot 0 belongs to
 * nobody: refused series point there, and what is written to it is never read.
 */
export class SeriesColumns {
  readonly definition = new Uint32Column();
  readonly resource = new Uint32Column();
  readonly member = new Uint32Column();
  /** Index into the times of sampling groups. */
  readonly clock = new Uint32Column();
  readonly epoch = new Uint32Column();
  readonly previousEpoch = new Uint32Column();
  readonly status = new Uint8Column();
  /** By the source's own clock, microseconds since the Unix epoch; 0 unknown. */
  readonly startTimeUs = new Float64Column();
  /** When it was last seen to leave, in whole seconds since the store's birth: what it counted has not changed since. */
  readonly absentAtS = new Uint32Column();
  /** The stream that reports it: see SeriesInput. 0: none. A stream's number is never used again. */
  readonly holder = new Uint32Column();
  readonly #free = new Uint32List();
  #length = 0;
  #inUse = 0;

  constructor() {
    this.allocate();
    this.#inUse = 0;
  }

  /** Every slot in use is below this. */
  get length(): number {
    return this.#length;
  }

  get inUse(): number {
    return this.#inUse;
  }

  allocate(): number {
    this.#inUse++;
    if (this.#free.size > 0) return this.#free.items[--this.#free.size]!;
    const slot = this.#length++;
    this.definition.grow(this.#length);
    this.resource.grow(this.#length);
    this.member.grow(this.#length);
    this.clock.grow(this.#length);
    this.epoch.grow(this.#length);
    this.previousEpoch.grow(this.#length);
    this.status.grow(this.#length);
    this.startTimeUs.grow(this.#length);
    this.absentAtS.grow(this.#length);
    this.holder.grow(this.#length);
    return slot;
  }

  /** For a snapshot. */
  snapshotParts(): readonly SnapshotPart[] {
    const length = () => this.#length;
    return [
      new CountPart(
        'slots',
        length,
        (count) => {
          this.#length = count;
        },
        1,
      ),
      new ColumnPart('definitions of slots', this.definition, length),
      new ColumnPart('resources of slots', this.resource, length),
      new ColumnPart('members of slots', this.member, length),
      new ColumnPart('clocks of slots', this.clock, length),
      new ColumnPart('epochs of slots', this.epoch, length),
      new ColumnPart('previous epochs of slots', this.previousEpoch, length),
      new ColumnPart('status of slots', this.status, length),
      new ColumnPart('start times of slots', this.startTimeUs, length),
      new ColumnPart('absences of slots', this.absentAtS, length),
      new ColumnPart('holders of slots', this.holder, length),
      new FreeListPart(
        'free slots',
        () => this.#free,
        length,
        () => {
          this.#inUse = this.#length - 1 - this.#free.size;
        },
      ),
    ];
  }

  /** Which slots are in use: 1, else 0. The caller's own. */
  slotsInUse(): Uint8Array {
    const inUse = new Uint8Array(this.#length).fill(1, 1);
    for (let i = 0; i < this.#free.size; i++) inUse[this.#free.items[i]!] = 0;
    return inUse;
  }

  release(slot: number): void {
    this.#inUse--;
    this.status.set(slot, 0);
    // Whoever held it finds out that it is gone.
    this.holder.set(slot, 0);
    this.#free.push(slot);
  }
}
