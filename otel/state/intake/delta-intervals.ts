import { ColumnPart } from '../../snapshot/column-part.ts';
import { CountPart, FreeListPart } from '../../snapshot/number-parts.ts';
import type { SnapshotPart } from '../../snapshot/snapshot-part.ts';
import { Float64Column, Uint8Column, Uint32List } from '../columns.ts';

/** How many intervals of a series are remembered: those that end last. 24 bytes each. */
export const rememberedIntervals = 8;
const mask = rememberedIntervals - 1;

/** How a delta stands to the intervals that are remembered. */
export type DeltaStep = 'advance' | 'late' | 'duplicate' | 'overlap' | 'too_late';

/**
 * The last intervals of series that get deltas, in columns: a ring of {@link rememberedIntervals} cells for each, in ascending order of ends,
 * from the cell that `heads` tells. Each has start, end and a value that tells it from another one of the same time. A start of 0 is
 * unknown: such an interval overlaps nothing. Ring 0 is nobody's.
 */
export class DeltaIntervals {
  readonly #starts = new Float64Column();
  readonly #ends = new Float64Column();
  readonly #values = new Float64Column();
  readonly #heads = new Uint8Column();
  readonly #counts = new Uint8Column();
  readonly #free = new Uint32List();
  #length = 1;

  /** Rings in use. */
  get size(): number {
    return this.#length - 1 - this.#free.size;
  }

  allocate(): number {
    const ring = this.#free.size > 0 ? this.#free.items[--this.#free.size]! : this.#length++;
    this.#starts.grow(this.#length * rememberedIntervals);
    this.#ends.grow(this.#length * rememberedIntervals);
    this.#values.grow(this.#length * rememberedIntervals);
    this.#heads.grow(this.#length);
    this.#counts.grow(this.#length);
    this.#heads.set(ring, 0);
    this.#counts.set(ring, 0);
    return ring;
  }

  release(ring: number): void {
    if (ring !== 0) this.#free.push(ring);
  }

  /** What a delta is to the ring. `newestUs`: no remembered interval ends after it. */
  step(ring: number, newestUs: number, startUs: number, endUs: number, value: number): DeltaStep {
    if (endUs > newestUs && (startUs === 0 || startUs >= newestUs)) return 'advance';
    const count = this.#counts.get(ring);
    let overlaps = false;
    for (let i = 0; i < count; i++) {
      const cell = this.#cell(ring, i);
      const start = this.#starts.get(cell);
      const end = this.#ends.get(cell);
      if (start === startUs && end === endUs && this.#values.get(cell) === value) return 'duplicate';
      // A start that is not known makes no extent.
      if (startUs !== 0 && start !== 0 && startUs < end && endUs > start) overlaps = true;
    }
    // It would not be remembered, and so could come again and again.
    if (count === rememberedIntervals && endUs <= this.#ends.get(this.#cell(ring, 0))) return 'too_late';
    if (overlaps) return 'overlap';
    return endUs > newestUs ? 'advance' : 'late';
  }

  /** Puts an interval in that is not too late; when the ring is full, the one that ends first is forgotten. */
  remember(ring: number, startUs: number, endUs: number, value: number): void {
    let count = this.#counts.get(ring);
    if (count === rememberedIntervals) this.#heads.set(ring, (this.#heads.get(ring) + 1) & mask);
    else this.#counts.set(ring, ++count);
    let place = count - 1;
    for (; place > 0; place--) {
      const before = this.#cell(ring, place - 1);
      if (this.#ends.get(before) <= endUs) break;
      this.#put(
        this.#cell(ring, place),
        this.#starts.get(before),
        this.#ends.get(before),
        this.#values.get(before),
      );
    }
    this.#put(this.#cell(ring, place), startUs, endUs, value);
  }

  /** For a snapshot. */
  snapshotParts(): readonly SnapshotPart[] {
    const length = () => this.#length;
    const cells = () => this.#length * rememberedIntervals;
    return [
      new CountPart(
        'rings',
        length,
        (count) => {
          this.#length = count;
        },
        1,
      ),
      new ColumnPart('heads of rings', this.#heads, length),
      new ColumnPart('counts of rings', this.#counts, length),
      new ColumnPart('beginnings of intervals', this.#starts, cells),
      new ColumnPart('ends of intervals', this.#ends, cells),
      new ColumnPart('values of intervals', this.#values, cells),
      new FreeListPart('free rings', () => this.#free, length),
    ];
  }

  /** Whether a number is that of a ring that can be, or 0. */
  isRing(ring: number): boolean {
    return (
      ring < this.#length &&
      this.#heads.get(ring) < rememberedIntervals &&
      this.#counts.get(ring) <= rememberedIntervals
    );
  }

  #cell(ring: number, place: number): number {
    return ring * rememberedIntervals + ((this.#heads.get(ring) + place) & mask);
  }

  #put(cell: number, startUs: number, endUs: number, value: number): void {
    this.#starts.set(cell, startUs);
    this.#ends.set(cell, endUs);
    this.#values.set(cell, value);
  }
}
