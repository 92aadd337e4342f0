/**
 * Chunked columns: the storage of all state. A column is a list of typed arrays of one fixed length, so it grows without copying
 * and a chunk can be copied on its own. Slot `s` is at `chunks[s >>> chunkBits][s & chunkMask]`; hot loops do that themselves.
 * A column is owned by the state that made it; nobody else writes to it. `npm run bench ingest` is what the layout is measured by.
 */
export const chunkBits = 12;
export const chunkLength = 1 << chunkBits;
export const chunkMask = chunkLength - 1;

export class Float64Column {
  readonly chunks: Float64Array[] = [];

  get(slot: number): number {
    return this.chunks[slot >>> chunkBits]![slot & chunkMask]!;
  }

  set(slot: number, value: number): void {
    this.chunks[slot >>> chunkBits]![slot & chunkMask] = value;
  }

  /** Makes room for slots below `length`; new cells are 0. */
  grow(length: number): void {
    while (this.chunks.length << chunkBits < length) this.chunks.push(new Float64Array(chunkLength));
  }
}

export class Uint32Column {
  readonly chunks: Uint32Array[] = [];

  get(slot: number): number {
    return this.chunks[slot >>> chunkBits]![slot & chunkMask]!;
  }

  set(slot: number, value: number): void {
    this.chunks[slot >>> chunkBits]![slot & chunkMask] = value;
  }

  /** Makes room for slots below `length`; new cells are 0. */
  grow(length: number): void {
    while (this.chunks.length << chunkBits < length) this.chunks.push(new Uint32Array(chunkLength));
  }
}

export class Int32Column {
  readonly chunks: Int32Array[] = [];

  get(slot: number): number {
    return this.chunks[slot >>> chunkBits]![slot & chunkMask]!;
  }

  set(slot: number, value: number): void {
    this.chunks[slot >>> chunkBits]![slot & chunkMask] = value;
  }

  /** Makes room for slots below `length`; new cells are 0. */
  grow(length: number): void {
    while (this.chunks.length << chunkBits < length) this.chunks.push(new Int32Array(chunkLength));
  }
}

export class Uint8Column {
  readonly chunks: Uint8Array[] = [];

  get(slot: number): number {
    return this.chunks[slot >>> chunkBits]![slot & chunkMask]!;
  }

  set(slot: number, value: number): void {
    this.chunks[slot >>> chunkBits]![slot & chunkMask] = value;
  }

  /** Makes room for slots below `length`; new cells are 0. */
  grow(length: number): void {
    while (this.chunks.length << chunkBits < length) this.chunks.push(new Uint8Array(chunkLength));
  }
}

/** A growing list of unsigned 32-bit integers in one typed array: `items[0..size)`. */
export class Uint32List {
  items = new Uint32Array(4);
  size = 0;

  push(item: number): void {
    if (this.size === this.items.length) {
      const grown = new Uint32Array(this.size + (this.size >>> 1));
      grown.set(this.items);
      this.items = grown;
    }
    this.items[this.size++] = item;
  }
}
