import { ColumnPart } from '../snapshot/column-part.ts';
import type { SnapshotPart } from '../snapshot/snapshot-part.ts';
import { Float64Column } from './columns.ts';
import { maxCount } from './counts.ts';
import { ExponentialComparison, maxHeldBuckets } from './exponential-comparison.ts';
import { ExponentialCounts } from './exponential-counts.ts';
import { maxScale } from './exponential-mapping.ts';
import { type ExponentialFault, ExponentialReport } from './exponential-report.ts';
import { ExponentialRows } from './exponential-rows.ts';
import type { ExponentialValue } from './exponential-value.ts';
import { counting, fromZero, isMonotonic, SeriesColumns } from './series-columns.ts';

/**
 * Exponential histograms. `values` is the state of the current epoch as it was reported, `offsets` what earlier epochs counted less the
 * baseline of this one: it may be negative, and has a scale and zero threshold of its own. Together they are what has been counted here.
 * `mins` and `maxes` span the reports of the current epoch; NaN when none was reported.
 *
 * Within an epoch a source may make its buckets coarser, so counts are compared at the coarser scale and the higher zero threshold of the two.
 * What is held never becomes finer than it was: a report that is finer than the one before it is kept at the held scale and threshold, so
 * that nothing that was taken before, an offset or what a reader was given, is above what is held at the scale that both have.
 */
export class ExponentialHistogramState {
  readonly kind = 'exponential_histogram';
  readonly series = new SeriesColumns();
  readonly values = new ExponentialRows();
  readonly offsets = new ExponentialRows();
  readonly mins = new Float64Column();
  readonly maxes = new Float64Column();
  /** The counts at hand: `settle` and `merge` read theirs, the calls whose names end in Report take what was read before. */
  readonly report = new ExponentialReport();
  /** Why the last settle or merge took nothing, the number that was found and the one that is held in its place; of no meaning after others. */
  fault: ExponentialFault = 'fell';
  faultyValue = 0;
  heldValue = 0;
  readonly #comparison = new ExponentialComparison(this.values);
  readonly #held = new ExponentialCounts();

  constructor() {
    this.#grow();
  }

  allocate(): number {
    const slot = this.series.allocate();
    this.#grow();
    this.mins.set(slot, NaN);
    this.maxes.set(slot, NaN);
    this.series.status.set(slot, isMonotonic);
    return slot;
  }

  release(slot: number): void {
    this.values.clear(slot);
    this.offsets.clear(slot);
    this.series.release(slot);
  }

  /** A new epoch: what the old one counted is kept, and counts start at nothing. */
  beginEpoch(slot: number): void {
    if ((this.series.status.get(slot) & counting) !== 0) this.#addToOffsets(slot, 1);
    this.values.clear(slot);
    this.mins.set(slot, NaN);
    this.maxes.set(slot, NaN);
  }

  /**
   * Takes the first counts after a definition. Gives the count that was set aside as a baseline, or `undefined` when nothing was taken: see
   * {@link ExponentialHistogramState.merge}.
   */
  settle(slot: number, value: ExponentialValue): number | undefined {
    return this.report.read(value) ? this.settleReport(slot) : this.#unread();
  }

  /**
   * Takes newer counts of the same epoch, whole or not at all. False, with the reason in `fault`, when a count is below the held one at the
   * coarser scale and the higher zero threshold of the two, is negative or not a finite number, or when scale or buckets are out of range.
   */
  merge(slot: number, value: ExponentialValue): boolean {
    return this.report.read(value) ? this.mergeReport(slot) : this.#unread() !== undefined;
  }

  /** As settle, with what was read. */
  settleReport(slot: number): number | undefined {
    if (!this.mergeReport(slot)) return undefined;
    const status = this.series.status.get(slot);
    this.series.status.set(slot, status | counting);
    if ((status & (counting | fromZero)) !== 0) return 0;
    this.#addToOffsets(slot, -1);
    return this.report.count;
  }

  /** As merge, with what was read. */
  mergeReport(slot: number): boolean {
    // Slot 0 is nobody's.
    if (slot === 0) return true;
    const comparison = this.#comparison;
    if (comparison.holdsAll(slot, this.report)) {
      this.values.set(slot, comparison.result);
      return true;
    }
    this.fault = 'fell';
    this.faultyValue = comparison.faultyValue;
    this.heldValue = comparison.heldValue;
    return false;
  }

  /** What was read against what is held: 0 when all counts are equal, above 0 when it holds all that is held and more, else below 0. */
  orderReport(slot: number): number {
    const holdsAll = this.#comparison.holdsAll(slot, this.report);
    return holdsAll ? Math.sign(this.report.count - this.values.count(slot)) : -1;
  }

  /** Adds what was read to what is held. False, and nothing is added, where the sum would not be finite or the count too high. */
  addReport(slot: number): boolean {
    const counts = this.#load(slot);
    counts.add(this.report, 1);
    if (!Number.isFinite(counts.sum) || counts.count > maxCount) return false;
    this.values.set(slot, counts);
    return true;
  }

  /** Another slot goes on from this one's counts, having counted nothing yet. */
  moveTo(slot: number, moved: number): void {
    if ((this.series.status.get(slot) & counting) === 0) return;
    this.values.set(moved, this.#load(slot));
    this.#addToOffsets(moved, -1);
    this.mins.set(moved, this.mins.get(slot));
    this.maxes.set(moved, this.maxes.get(slot));
  }

  /** Widens the range that the current epoch has seen. NaN: nothing was measured. */
  takeMin(slot: number, min: number): void {
    if (Number.isNaN(min) || this.mins.get(slot) <= min) return;
    this.mins.set(slot, min);
  }

  takeMax(slot: number, max: number): void {
    if (Number.isNaN(max) || this.maxes.get(slot) >= max) return;
    this.maxes.set(slot, max);
  }

  /** Adds what a series has counted since the store began. */
  addCounted(slot: number, to: ExponentialCounts): void {
    if (this.offsets.isNothing(slot)) {
      this.values.addTo(slot, to, 1);
      to.sum += this.offsets.sums.get(slot);
      return;
    }
    // By itself first: what cancels out must not make others coarser.
    const counts = this.#load(slot);
    this.offsets.addTo(slot, counts, 1);
    counts.trim();
    to.add(counts, 1);
  }

  /** For a snapshot. */
  snapshotParts(): readonly SnapshotPart[] {
    const length = () => this.series.length;
    return [
      ...this.series.snapshotParts(),
      ...this.values.snapshotParts(length),
      ...this.offsets.snapshotParts(length),
      new ColumnPart('minima', this.mins, length),
      new ColumnPart('maxima', this.maxes, length),
    ];
  }

  #addToOffsets(slot: number, factor: number): void {
    const counts = this.#held;
    counts.begin(maxScale, 0, maxHeldBuckets);
    this.offsets.addTo(slot, counts, 1);
    this.values.addTo(slot, counts, factor);
    this.offsets.set(slot, counts);
  }

  /** What is held of the current epoch, to go on from. */
  #load(slot: number): ExponentialCounts {
    this.values.load(slot, this.#held, maxHeldBuckets);
    return this.#held;
  }

  #unread(): undefined {
    this.fault = this.report.fault;
    this.faultyValue = this.report.faultyValue;
    this.heldValue = 0;
  }

  #grow(): void {
    const length = this.series.length;
    this.values.grow(length);
    this.offsets.grow(length);
    this.mins.grow(length);
    this.maxes.grow(length);
  }
}
