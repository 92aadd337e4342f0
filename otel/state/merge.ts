import {
  chunkBits,
  chunkMask,
  type Float64Column,
  type Uint8Column,
  type Uint32Column,
  type Uint32List,
} from './columns.ts';
import { maxCount } from './counts.ts';
import { isMonotonic } from './series-columns.ts';

/**
 * The hot path. A report has been decoded into a column of a stream: `values[i]` is the newest value of cell `i`, `slots[i]` where the
 * collector keeps it, and `changed[0..changedCount)` which cells differ from the report before. What did not change costs
 * nothing. Nothing is allocated; what cannot be taken is left to the caller as a list of indexes. Measured by `npm run bench ingest`.
 */
export interface MergeColumn {
  readonly values: Float64Array;
  readonly attached: Uint32Array;
  readonly changed: Uint32Array;
  readonly changedCount: number;
}

/** Takes newer values of sums. Rejected: non-finite values, and falls of monotonic sums. */
export function mergeSums(
  column: MergeColumn,
  state: Float64Column,
  status: Uint8Column,
  rejected: Uint32List,
): void {
  const { values, attached, changed, changedCount } = column;
  const chunks = state.chunks;
  for (let c = 0; c < changedCount; c++) {
    const index = changed[c]!;
    const slot = attached[index]!;
    const value = values[index]!;
    const chunk = chunks[slot >>> chunkBits]!;
    const at = slot & chunkMask;
    if (value >= chunk[at]! && value < Infinity) chunk[at] = value;
    else if (value - value === 0 && (status.chunks[slot >>> chunkBits]![at]! & isMonotonic) === 0)
      chunk[at] = value;
    else rejected.push(index);
  }
}

/** Takes newer values of gauges, whatever they are. */
export function mergeGauges(column: MergeColumn, state: Float64Column): void {
  const { values, attached, changed, changedCount } = column;
  const chunks = state.chunks;
  for (let c = 0; c < changedCount; c++) {
    const index = changed[c]!;
    const slot = attached[index]!;
    chunks[slot >>> chunkBits]![slot & chunkMask] = values[index]!;
  }
}

/**
 * Takes newer bucket counts of histograms. `attached` holds the slot of each bucket's histogram, `firstCells` where the slot's buckets
 * begin in the state, `widths` how many it has, and `offsets` where they begin in the column. A histogram that changed is looked at whole,
 * and taken whole or not at all; rejected is one of its cells when a count is below the held one, or is none: see isCount.
 */
export function mergeBuckets(
  column: MergeColumn & { readonly offsets: Uint32Array | undefined },
  state: Float64Column,
  firstCells: Uint32Column,
  widths: Uint32Column,
  rejected: Uint32List,
): void {
  const { values, attached, changed, changedCount, offsets } = column;
  const chunks = state.chunks;
  let end = 0;
  for (let c = 0; c < changedCount; c++) {
    const index = changed[c]!;
    if (index < end) continue;
    const slot = attached[index]!;
    const first = offsets === undefined ? index : offsets[index]!;
    end = index + 1;
    if (slot === 0) continue;
    end = first + widths.chunks[slot >>> chunkBits]![slot & chunkMask]!;
    const cells = firstCells.chunks[slot >>> chunkBits]![slot & chunkMask]! - first;
    let at = first;
    for (; at < end; at++) {
      const cell = cells + at;
      const value = values[at]!;
      if (!(value >= chunks[cell >>> chunkBits]![cell & chunkMask]! && value <= maxCount)) break;
      if (Math.floor(value) !== value) break;
    }
    if (at < end) {
      rejected.push(at);
      continue;
    }
    for (at = first; at < end; at++) {
      const cell = cells + at;
      chunks[cell >>> chunkBits]![cell & chunkMask] = values[at]!;
    }
  }
}
