import type { ByteWriter } from './byte-writer.ts';
import { type Drifts, maxDrifts } from './drifts.ts';
import {
  driftFlag,
  firstDecimalMode,
  highWord,
  lastDecimalMode,
  lowWord,
  maxDifference,
  modeScales,
  noMode,
  xorMode,
} from './modes.ts';
import type { NumberColumn } from './number-column.ts';
import { Trends } from './trends.ts';
import { toZigzag, varintSize } from './varint.ts';

/** Differences below this have tokens of at most 4 bytes: too little to be worth another mode. */
const smallDifference = 2 ** 26;

/**
 * A mode change costs two bytes, and two more if the next value needs the old mode. A cell leaves a mode that fits only where one
 * value pays for both, so values that alternate never cost more than in one mode.
 */
const worthChanging = 4;

const scratch = new Float64Array(1);
const scratchWords = new Uint32Array(scratch.buffer);

/**
 * Appends the bytes that take the column from its base to `current`, whose first `column.size` values are those of the cells, and
 * advances the base. Appends nothing when nothing changed. What is decoded is equal to `current` by `Object.is`. The format is
 * in docs/protocol.md, "Columns of numbers".
 *
 * A cell keeps its mode while that fits. Where the series has a step, its mode is taken as soon as it fits, and forgotten as
 * soon as it does not; otherwise whole numbers are sent as such, then the fewest decimal places that are exact, then XOR.
 */
export function encodeNumbers(column: NumberColumn, current: Float64Array, writer: ByteWriter): void {
  const { values, modes, preferred, drifts, size } = column;
  const trends = drifts === undefined ? undefined : trendsOf(drifts, values.length);
  drifts?.move(column);
  let unchanged = 0;
  for (let cell = 0; cell < size; cell++) {
    const value = current[cell];
    const base = values[cell];
    if (Object.is(value, base)) {
      trends?.stood(cell);
      unchanged++;
      continue;
    }
    if (unchanged > 0) {
      writer.varint(2 * unchanged + 1);
      unchanged = 0;
    }
    const kept = modes[cell];
    const hint = preferred === undefined ? noMode : preferred[cell];
    if (kept !== xorMode && (hint === noMode || hint === kept)) {
      const difference = differenceIn(kept, base, value);
      if (difference > -smallDifference && difference < smallDifference) {
        if (trends?.moved(cell, difference)) tellDrift(column, trends, cell, writer);
        writer.varint(2 * toZigzag(difference));
        values[cell] = value;
        continue;
      }
    }
    const mode = chooseMode(column, cell, base, value);
    if (mode !== kept) {
      writer.byte(1);
      writer.byte(mode);
      modes[cell] = mode;
      // A drift is in steps of the mode that it was told with.
      drifts?.set(cell, 0);
      trends?.told(cell, 0);
    }
    if (mode === xorMode) {
      writeXor(column, cell, value, writer);
    } else {
      writer.varint(2 * toZigzag(differenceIn(mode, base, value)));
      values[cell] = value;
    }
  }
}

function trendsOf(drifts: Drifts, room: number): Trends {
  if (drifts.trends === undefined || drifts.trends.size < room) drifts.trends = new Trends(room, drifts);
  return drifts.trends;
}

/** Writes the mode that the cell has with the drift that it shall have, or without one. */
function tellDrift(column: NumberColumn, trends: Trends, cell: number, writer: ByteWriter): void {
  const drifts = column.drifts!;
  const drift = trends.candidateOf(cell);
  if (drift !== 0 && trends.driftOf(cell) === 0 && drifts.count === maxDrifts) return;
  writer.byte(1);
  if (drift === 0) {
    writer.byte(column.modes[cell]);
  } else {
    writer.byte(column.modes[cell] | driftFlag);
    writer.varint(toZigzag(drift));
  }
  drifts.set(cell, drift);
  trends.told(cell, drift);
}

function chooseMode(column: NumberColumn, cell: number, base: number, value: number): number {
  const { preferred } = column;
  const hint = preferred === undefined ? noMode : preferred[cell];
  if (hint !== noMode && preferred !== undefined) {
    if (!Number.isNaN(differenceIn(hint, base, value))) return hint;
    preferred[cell] = noMode;
  }
  const kept = column.modes[cell];
  const keptSize = sizeIn(kept, column, cell, base, value);
  if (keptSize <= worthChanging) return kept;
  const other = simplestMode(base, value);
  return sizeIn(other, column, cell, base, value) + worthChanging <= keptSize ? other : kept;
}

/** Whole numbers, else the fewest decimal places that are exact for both, else XOR. */
function simplestMode(base: number, value: number): number {
  if (!Number.isNaN(differenceIn(0, base, value))) return 0;
  // What is exact in few places is exact in many, so one look tells most other doubles apart.
  let most = lastDecimalMode;
  const magnitude = Math.max(Math.abs(base), Math.abs(value));
  while (most >= firstDecimalMode && !(magnitude * modeScales[most] < maxDifference)) most--;
  if (most < firstDecimalMode || Number.isNaN(differenceIn(most, base, value))) return xorMode;
  let mode = firstDecimalMode;
  while (mode < most && Number.isNaN(differenceIn(mode, base, value))) mode++;
  return mode;
}

/** How many steps of the mode lead from the base exactly to the value; NaN when none do, or too many. */
function differenceIn(mode: number, base: number, value: number): number {
  const scale = modeScales[mode];
  // Steps never lead to -0.
  if (value === 0 && Object.is(value, -0)) return Number.NaN;
  if (mode < firstDecimalMode) {
    const difference = (value - base) / scale;
    return Math.trunc(difference) === difference &&
      Math.abs(difference) < maxDifference &&
      base + difference * scale === value
      ? difference
      : Number.NaN;
  }
  if (mode === xorMode) return Number.NaN;
  const from = Math.round(base * scale);
  const to = Math.round(value * scale);
  const difference = to - from;
  return Math.abs(difference) < maxDifference &&
    from / scale === base &&
    (from + difference) / scale === value
    ? difference
    : Number.NaN;
}

/** Bytes of the value in a mode, mode change not counted; Infinity when it does not fit. */
function sizeIn(mode: number, column: NumberColumn, cell: number, base: number, value: number): number {
  if (mode === xorMode) {
    const shape = xorShape(column, cell, value);
    return (shape < 64 ? 1 : 2) + 8 - (shape >>> 3) - (shape & 7);
  }
  const difference = differenceIn(mode, base, value);
  return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : varintSize(2 * toZigzag(difference));
}

/** Leading zero bytes << 3 | trailing zero bytes of the XOR with the base, whose bits are then in the scratch words. */
function xorShape(column: NumberColumn, cell: number, value: number): number {
  scratch[0] = value;
  if (Number.isNaN(value)) {
    // One NaN for all: an engine may give any bits, and both ends must hold the same.
    scratchWords[highWord] = 0x7ff80000;
    scratchWords[lowWord] = 0;
  }
  scratchWords[highWord] ^= column.words[2 * cell + highWord];
  scratchWords[lowWord] ^= column.words[2 * cell + lowWord];
  const high = scratchWords[highWord];
  const low = scratchWords[lowWord];
  if (high === 0 && low === 0) return 64;
  const leading = high !== 0 ? Math.clz32(high) >>> 3 : 4 + (Math.clz32(low) >>> 3);
  const trailing = low !== 0 ? trailingZeroBytes(low) : 4 + trailingZeroBytes(high);
  return (leading << 3) | trailing;
}

function trailingZeroBytes(word: number): number {
  return (31 - Math.clz32(word & -word)) >>> 3;
}

function writeXor(column: NumberColumn, cell: number, value: number, writer: ByteWriter): void {
  const shape = xorShape(column, cell, value);
  const high = scratchWords[highWord];
  const low = scratchWords[lowWord];
  writer.varint(2 * shape);
  const stop = 8 - (shape & 7);
  for (let place = shape >>> 3; place < stop; place++)
    writer.byte(place < 4 ? (high >>> (24 - 8 * place)) & 0xff : (low >>> (56 - 8 * place)) & 0xff);
  column.words[2 * cell + highWord] ^= high;
  column.words[2 * cell + lowWord] ^= low;
}
