import { endianness } from 'node:os';

/** The arrays that columns are made of. In a snapshot their cells are little-endian. */
export type Cells = Float64Array | Float32Array | Uint32Array | Int32Array | Uint16Array | Uint8Array;

const isLittle = endianness() === 'LE';

/** Puts `cells[start, end)` into `bytes` from `at` on. */
export function cellsToBytes(cells: Cells, start: number, end: number, bytes: Uint8Array, at: number): void {
  const { BYTES_PER_ELEMENT: width } = cells;
  const length = (end - start) * width;
  bytes.set(new Uint8Array(cells.buffer, cells.byteOffset + start * width, length), at);
  if (!isLittle) swap(bytes.subarray(at, at + length), width);
}

/** Takes `cells[start, end)` from `bytes` from `at` on. */
export function cellsFromBytes(
  cells: Cells,
  start: number,
  end: number,
  bytes: Uint8Array,
  at: number,
): void {
  const { BYTES_PER_ELEMENT: width } = cells;
  const length = (end - start) * width;
  const to = new Uint8Array(cells.buffer, cells.byteOffset + start * width, length);
  to.set(bytes.subarray(at, at + length));
  if (!isLittle) swap(to, width);
}

/** The bytes of each cell in the opposite order. */
function swap(bytes: Uint8Array, width: number): void {
  for (let first = 0; first < bytes.length; first += width) bytes.subarray(first, first + width).reverse();
}
