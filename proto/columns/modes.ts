/**
 * How one cell's values are coded: a byte on the wire and in `NumberColumn.modes`. docs/protocol.md has the table.
 *
 * - 0x00 … 0x1e: whole steps of 2^mode; new = base + d * 2^mode.
 * - 0x21 … 0x2c: whole steps of 10^-(mode - 0x20), with p = 10^(mode - 0x20); new = (round(base * p) + d) / p.
 * - 0x3f: the XOR of the IEEE 754 bits.
 *
 * On the wire a mode of steps with {@link driftFlag} tells a drift too; see drifts.ts.
 */
export const firstDecimalMode = 0x21;
export const lastDecimalMode = 0x2c;
export const lastBinaryMode = 0x1e;
export const xorMode = 0x3f;

/** Beside a mode in a mode change: the cell's drift follows. */
export const driftFlag = 0x40;

/** In place of a mode: none. */
export const noMode = 0xff;

/** 2^mode for the binary modes, 10^(mode - 0x20) for the decimal ones; 0 where there is no such mode or no scale. */
export const modeScales: Float64Array = new Float64Array(64);
for (let mode = 0; mode <= lastBinaryMode; mode++) modeScales[mode] = 2 ** mode;
// Number('1e12') is correctly rounded and exact up to 1e22; `10 ** 12` need not be.
for (let mode = firstDecimalMode; mode <= lastDecimalMode; mode++)
  modeScales[mode] = Number(`1e${mode - 0x20}`);

/** Differences are below this, so that tokens are exact in doubles. */
export const maxDifference = 2 ** 50;

export function isMode(mode: number): boolean {
  return mode === xorMode || (mode < 64 && modeScales[mode] !== 0);
}

/** The value so many steps of a binary or decimal mode away. */
export function moved(base: number, difference: number, mode: number): number {
  const scale = modeScales[mode];
  if (mode < firstDecimalMode) return base + difference * scale;
  return (Math.round(base * scale) + difference) / scale;
}

/** The mode for values that move in this step (0.01, 4096), or {@link noMode} when no mode fits it. */
export function modeOfStep(step: number): number {
  if (!(step > 0) || !Number.isFinite(step)) return noMode;
  if (Number.isInteger(step)) {
    let mode = 0;
    for (let rest = step; rest % 2 === 0 && mode < lastBinaryMode; rest /= 2) mode++;
    return mode;
  }
  for (let mode = firstDecimalMode; mode <= lastDecimalMode; mode++) {
    const scale = modeScales[mode];
    const n = Math.round(step * scale);
    if (n > 0 && n / scale === step) return mode;
  }
  return noMode;
}

/** Whether the low 32 bits of a double come first in memory. */
export const lowWord: 0 | 1 = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 0 : 1;
export const highWord: 0 | 1 = lowWord === 0 ? 1 : 0;
