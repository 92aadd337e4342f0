import { NumberColumn } from '../columns/number-column.ts';

/** What is taken out of a column while it is laid out anew; grows to what the largest report moved. */
let movedCounts = new Float64Array(256);
let movedModes = new Uint8Array(256);

/**
 * The buckets of one range, positive or negative, of a group's exponential histograms.
 *
 * Layout: histogram `h` has two cells in `layout`, the index of its first bucket and the number of its buckets, and its counts are in
 * the cells `firstCells[h]` to `firstCells[h + 1]` of `counts`, whose `attached` is `h`. `offsets[h]` and `firstCells` say how the
 * counts lie; they follow `layout` in {@link ExponentialRange.layOut}. Made and changed by ExponentialColumns. Measured by
 * `npm run bench exponential`.
 */
export class ExponentialRange {
  /** Two cells for each histogram: the index of its first bucket, and how many buckets it has. */
  readonly layout: NumberColumn = new NumberColumn();
  /** One cell for each bucket that a histogram has at present. */
  readonly counts: NumberColumn = new NumberColumn();
  /** How many histograms there are. */
  count = 0;
  /** The index of the first bucket of each histogram. */
  offsets: Int32Array = new Int32Array(1);
  /** The first cell in `counts` of each histogram, ascending, and after the last one the column's size. */
  firstCells: Uint32Array = new Uint32Array(2);

  /** A histogram without buckets. */
  append(seriesNumber: number): void {
    this.layout.append(seriesNumber, this.count, 2);
    if (this.count + 1 > this.offsets.length) {
      const room = this.count + (this.count >>> 1) + 1;
      const offsets = new Int32Array(room);
      offsets.set(this.offsets);
      this.offsets = offsets;
      const firstCells = new Uint32Array(room + 1);
      firstCells.set(this.firstCells);
      this.firstCells = firstCells;
    }
    this.offsets[this.count++] = 0;
    this.firstCells[this.count] = this.counts.size;
  }

  /** Removes series with ascending numbers; those that are not here are passed over. */
  remove(seriesNumbers: ArrayLike<number>): void {
    const { layout, counts, offsets, firstCells } = this;
    let next = 0;
    let to = 0;
    for (let h = 0; h < this.count; h++) {
      const number = layout.numbers[2 * h];
      while (next < seriesNumbers.length && seriesNumbers[next] < number) next++;
      if (next < seriesNumbers.length && seriesNumbers[next] === number) continue;
      const buckets = firstCells[h + 1] - firstCells[h];
      offsets[to] = offsets[h];
      firstCells[++to] = firstCells[to - 1] + buckets;
    }
    this.count = to;
    layout.remove(seriesNumbers);
    counts.remove(seriesNumbers);
    for (let h = 0; h < to; h++) {
      layout.attached.fill(h, 2 * h, 2 * h + 2);
      counts.attached.fill(h, firstCells[h], firstCells[h + 1]);
    }
  }

  /** Whether the counts of a histogram do not lie as its layout, at an equal scale, says. */
  isMoved(h: number): boolean {
    const { values } = this.layout;
    return (
      values[2 * h] !== this.offsets[h] || values[2 * h + 1] !== this.firstCells[h + 1] - this.firstCells[h]
    );
  }

  /** How many cells the layout asks for beyond those there are; negative when it asks for fewer. */
  growth(): number {
    const { values } = this.layout;
    let buckets = 0;
    for (let h = 0; h < this.count; h++) buckets += values[2 * h + 1];
    return buckets - this.counts.size;
  }

  /**
   * Lays the counts out as `layout`, which was checked, says, and rebases them: docs/protocol.md, "Exponential histograms". The
   * histograms' scales were `heldScales` and are `scales`. Costs a pass over the histograms, and one over the cells from the first
   * that moved to the last.
   */
  layOut(heldScales: Int8Array, scales: Float64Array): void {
    let first = -1;
    let last = -1;
    for (let h = 0; h < this.count; h++) {
      if (heldScales[h] === scales[h] && !this.isMoved(h)) continue;
      if (first === -1) first = h;
      last = h;
    }
    if (first === -1) return;
    const { counts, offsets, firstCells } = this;
    const layout = this.layout.values;
    const start = firstCells[first];
    const end = firstCells[last + 1];
    takeOut(counts, start, end);
    let width = 0;
    for (let h = first; h <= last; h++) width += layout[2 * h + 1];
    counts.splice(start, end, width);
    let to = start;
    let from = 0;
    for (let h = first; h <= last; h++) {
      const buckets = layout[2 * h + 1];
      const held = firstCells[h + 1] - start - from;
      if (heldScales[h] === scales[h] && offsets[h] === layout[2 * h] && held === buckets) {
        counts.values.set(movedCounts.subarray(from, from + held), to);
        counts.modes.set(movedModes.subarray(from, from + held), to);
      } else {
        const offset = layout[2 * h];
        if (heldScales[h] >= scales[h])
          rebase(from, held, offsets[h], heldScales[h] - scales[h], counts.values, to, buckets, offset);
        offsets[h] = offset;
      }
      counts.numbers.fill(this.layout.numbers[2 * h], to, to + buckets);
      counts.attached.fill(h, to, to + buckets);
      from += held;
      to += buckets;
      // What this was is known by now: `from` stands there.
      firstCells[h + 1] = to;
    }
    const shift = width - (end - start);
    if (shift !== 0) for (let h = last + 2; h <= this.count; h++) firstCells[h] += shift;
  }
}

/** Keeps the cells that are to be laid out anew. */
function takeOut({ values, modes }: NumberColumn, start: number, end: number): void {
  const length = end - start;
  if (length > movedCounts.length) {
    movedCounts = new Float64Array(length + (length >>> 1));
    movedModes = new Uint8Array(movedCounts.length);
  }
  movedCounts.set(values.subarray(start, end));
  movedModes.set(modes.subarray(start, end));
}

/** Adds each held count to the bucket it falls into at a scale that is `difference` coarser; what falls outside is left out. The buckets are zero before. */
function rebase(
  from: number,
  held: number,
  heldOffset: number,
  difference: number,
  into: Float64Array,
  to: number,
  buckets: number,
  offset: number,
): void {
  for (let i = 0; i < held; i++) {
    const bucket = ((heldOffset + i) >> difference) - offset;
    if (bucket >= 0 && bucket < buckets) into[to + bucket] += movedCounts[from + i];
  }
}
