import { InvalidDataError } from '../error.ts';
import {
  driftFlag,
  firstDecimalMode,
  highWord,
  isMode,
  lowWord,
  modeScales,
  moved,
  xorMode,
} from './modes.ts';
import type { NumberColumn } from './number-column.ts';
import { fromZigzag, readVarint, varintEnd } from './varint.ts';

/**
 * Decodes the bytes of a column from `start` to `end` into its cells: advances `values`, and lists the changed cells in `changed`. An
 * empty range moves the cells that drift and no others. The format is in docs/protocol.md, "Columns of numbers".
 *
 * This is the hot path of the collector: each point of each agent passes here. It allocates nothing, and reads each byte once; tokens of up to 4
 * bytes are 32-bit integers, longer ones (differences above 2^26 steps) take a slower path in doubles.
 * `test/bench/columns.ts` has the figures.
 *
 * @throws InvalidDataError for bytes that break the format. The column is then advanced in part, and the stream is lost.
 */
export function decodeNumbers(bytes: Uint8Array, start: number, end: number, column: NumberColumn): void {
  const { drifts } = column;
  if (drifts !== undefined && drifts.count > 0) drifts.move(column);
  decodeTokens(bytes, start, end, column);
  if (drifts !== undefined && drifts.count > 0)
    column.changedCount = drifts.join(column.changed, column.changedCount);
}

function decodeTokens(bytes: Uint8Array, start: number, end: number, column: NumberColumn): void {
  const { values, modes, changed, size } = column;
  let cell = 0;
  let count = 0;
  let at = start;
  column.changedCount = 0;
  while (at < end) {
    let token = bytes[at++];
    // One look for the most frequent token: a value in one byte.
    if ((token & 0x81) !== 0) {
      if (token > 0x7f) {
        if (at === end) throw cutOff(end);
        let byte = bytes[at++];
        token = (token & 0x7f) | ((byte & 0x7f) << 7);
        if (byte > 0x7f) {
          if (at === end) throw cutOff(end);
          byte = bytes[at++];
          token |= (byte & 0x7f) << 14;
          if (byte > 0x7f) {
            if (at === end) throw cutOff(end);
            byte = bytes[at++];
            token |= (byte & 0x7f) << 21;
            if (byte > 0x7f) {
              at -= 4;
              const wide = readVarint(bytes, at, end);
              at = varintEnd(bytes, at, end);
              if (wide === 1) {
                at = changeMode(bytes, at, end, column, cell);
              } else if (wide % 2 === 1) {
                cell += (wide - 1) / 2;
                if (cell > size) throw tooLong(size);
              } else {
                if (cell >= size) throw tooLong(size);
                if (modes[cell] !== xorMode)
                  values[cell] = moved(values[cell], fromZigzag(wide / 2), modes[cell]);
                else at = exclusiveOr(bytes, at, end, wide / 2, column.words, cell);
                changed[count++] = cell++;
              }
              continue;
            }
          }
        }
      }
      if ((token & 1) === 1) {
        if (token > 1) {
          cell += token >>> 1;
          if (cell > size) throw tooLong(size);
          continue;
        }
        at = changeMode(bytes, at, end, column, cell);
        continue;
      }
    }
    if (cell >= size) throw tooLong(size);
    const mode = modes[cell];
    const difference = (token >>> 2) ^ -((token >>> 1) & 1);
    if (mode < firstDecimalMode) {
      values[cell] += difference * modeScales[mode];
    } else if (mode < xorMode) {
      const scale = modeScales[mode];
      values[cell] = (Math.round(values[cell] * scale) + difference) / scale;
    } else {
      at = exclusiveOr(bytes, at, end, token >>> 1, column.words, cell);
    }
    changed[count++] = cell++;
  }
  column.changedCount = count;
}

/** Takes the mode byte at `at` and the drift that may follow it, and gives the position after them, which must be that of a value. */
function changeMode(bytes: Uint8Array, at: number, end: number, column: NumberColumn, cell: number): number {
  if (cell >= column.size) throw tooLong(column.size);
  if (at >= end) throw cutOff(end);
  const { drifts } = column;
  const byte = bytes[at];
  const mode = byte & ~driftFlag;
  const hasDrift = mode !== byte;
  if (!isMode(mode) || (hasDrift && (mode === xorMode || drifts === undefined)))
    throw new InvalidDataError(`unknown mode ${byte} at byte ${at} of a column`);
  let next = at + 1;
  let drift = 0;
  if (hasDrift) {
    drift = fromZigzag(readVarint(bytes, next, end));
    next = varintEnd(bytes, next, end);
  }
  if (next >= end) throw cutOff(end);
  if ((bytes[next] & 1) === 1)
    throw new InvalidDataError(`a mode change at byte ${at} of a column is not followed by a value`);
  column.modes[cell] = mode;
  drifts?.set(cell, drift);
  return next;
}

/** `shape` is the number of leading zero bytes << 3 | that of trailing ones. Gives the position after the bytes between. */
function exclusiveOr(
  bytes: Uint8Array,
  at: number,
  end: number,
  shape: number,
  words: Uint32Array,
  cell: number,
): number {
  if (shape > 64) throw badXor(shape);
  const leading = shape >>> 3;
  const stop = 8 - (shape & 7);
  if (leading > stop) throw badXor(shape);
  if (at + stop - leading > end) throw cutOff(end);
  let high = 0;
  let low = 0;
  let place = leading;
  for (; place < stop && place < 4; place++) high |= bytes[at++] << (24 - 8 * place);
  for (; place < stop; place++) low |= bytes[at++] << (56 - 8 * place);
  words[2 * cell + highWord] ^= high;
  words[2 * cell + lowWord] ^= low;
  return at;
}

function cutOff(end: number): InvalidDataError {
  return new InvalidDataError(`a column is cut off at byte ${end}, within a value`);
}

function tooLong(size: number): InvalidDataError {
  return new InvalidDataError(`a column is longer than the ${size} values of its series`);
}

function badXor(shape: number): InvalidDataError {
  return new InvalidDataError(
    `a column holds ${shape} for the zero bytes of an XOR; leading and trailing ones are at most 8 together`,
  );
}
