/** A decoder of columns written from docs/protocol.md alone, plainly, as an oracle. Each side of a test holds one for a column. */
export class ReferenceColumn {
  values: number[];
  modes: number[];
  changed: number[] = [];
  /** By cell, where there is one. */
  drifts: Map<number, number> = new Map();
  /** Steps were taken from NaN or to it, whose bits the language leaves open: no XOR with them can be foretold. */
  unforeseeable = false;

  readonly #mayDrift: boolean;

  constructor(size: number, mayDrift = false) {
    this.values = new Array(size).fill(0);
    this.modes = new Array(size).fill(0);
    this.#mayDrift = mayDrift;
  }

  /** @throws Error for bytes that break the format */
  decode(bytes: Uint8Array): void {
    const changed = new Set(this.drifts.keys());
    for (const [cell, drift] of this.drifts)
      this.values[cell] = this.#stepped(this.values[cell], this.modes[cell], drift);
    let at = 0;
    let cell = 0;
    const next = (): number => {
      if (at >= bytes.length) throw new Error('cut off');
      return bytes[at++];
    };
    const varint = (): bigint => {
      let value = 0n;
      for (let i = 0; i < 10; i++) {
        const byte = next();
        value |= BigInt(byte & 0x7f) << BigInt(7 * i);
        if (byte < 128) {
          if (value >= 2n ** 53n) throw new Error('too large');
          return value;
        }
      }
      throw new Error('too long');
    };
    while (at < bytes.length) {
      let token = varint();
      if (token % 2n === 1n && token > 1n) {
        cell += Number(token / 2n);
        if (cell > this.values.length) throw new Error('a run beyond the last cell');
        continue;
      }
      if (cell >= this.values.length) throw new Error('a value beyond the last cell');
      if (token === 1n) {
        const byte = next();
        this.modes[cell] = byte % 64;
        this.drifts.delete(cell);
        if (byte >= 128) throw new Error('no mode');
        if (byte >= 64) {
          if (!this.#mayDrift) throw new Error('no cell of this column drifts');
          if (byte === 0x7f) throw new Error('a drift without a step');
          const drift = zigzag(varint());
          if (drift !== 0) this.drifts.set(cell, drift);
          if (this.drifts.size > 256) throw new Error('too many drifts');
        }
        token = varint();
        if (token % 2n === 1n) throw new Error('no value after a mode change');
      }
      this.values[cell] = this.#value(this.values[cell], this.modes[cell], token / 2n, next);
      changed.add(cell++);
    }
    this.changed = [...changed].sort((a, b) => a - b);
  }

  #value(base: number, mode: number, u: bigint, next: () => number): number {
    if (mode === 0x3f) {
      const leading = Number(u >> 3n);
      const trailing = Number(u & 7n);
      if (leading + trailing > 8) throw new Error('too many zero bytes');
      let x = 0n;
      for (let i = leading; i < 8 - trailing; i++) x |= BigInt(next()) << BigInt(56 - 8 * i);
      return fromBits(toBits(base) ^ x);
    }
    return this.#stepped(base, mode, zigzag(u));
  }

  #stepped(base: number, mode: number, d: number): number {
    let value: number;
    if (mode <= 0x1e) value = base + d * 2 ** mode;
    else if (mode >= 0x21 && mode <= 0x2c) {
      const power = Number(10n ** BigInt(mode - 0x20));
      value = (Math.round(base * power) + d) / power;
    } else throw new Error('unknown mode');
    if (Number.isNaN(value)) this.unforeseeable = true;
    return value;
  }
}

const zigzag = (u: bigint): number => Number(u % 2n === 0n ? u / 2n : -(u + 1n) / 2n);

interface Buckets {
  scale: number;
  offset: number;
  counts: { value: number; mode: number }[];
}

/** One range of exponential histograms, written from docs/protocol.md alone: its two columns, and how the counts are rebased between them. */
export class ReferenceRange {
  readonly layout: ReferenceColumn;
  readonly counts = new ReferenceColumn(0);
  /** The values of the counts before their differences were applied. */
  bases: number[] = [];
  readonly #held: Buckets[];

  constructor(histograms: number) {
    this.layout = new ReferenceColumn(2 * histograms);
    this.#held = Array.from({ length: histograms }, () => ({ scale: 0, offset: 0, counts: [] }));
  }

  /** `scales` are those of this report. @throws Error for bytes or a layout that break the format */
  decode(scales: readonly number[], layout: Uint8Array, counts: Uint8Array): void {
    this.layout.decode(layout);
    const rebased = this.#held.map((held, h) => {
      const [offset, buckets] = this.layout.values.slice(2 * h, 2 * h + 2);
      return rebase(held, scales[h], offset, buckets);
    });
    const cells = rebased.flatMap((histogram) => histogram.counts);
    this.counts.values = cells.map(({ value }) => value);
    this.counts.modes = cells.map(({ mode }) => mode);
    this.bases = [...this.counts.values];
    this.counts.decode(counts);
    let cell = 0;
    for (const [h, histogram] of rebased.entries()) {
      histogram.counts = histogram.counts.map(() => ({
        value: this.counts.values[cell],
        mode: this.counts.modes[cell++],
      }));
      this.#held[h] = histogram;
    }
  }

  /** The first index and the counts of a histogram. */
  of(h: number): { offset: number; counts: number[] } {
    const { offset, counts } = this.#held[h];
    return { offset, counts: counts.map(({ value }) => value) };
  }
}

function rebase(held: Buckets, scale: number, offset: number, buckets: number): Buckets {
  if (!Number.isInteger(scale) || scale < -10 || scale > 20) throw new Error('no scale');
  if (!Number.isInteger(buckets) || buckets < 0 || buckets > 16_384) throw new Error('no number of buckets');
  if (!Number.isInteger(offset) || offset < -(2 ** 31) || offset + buckets > 2 ** 31)
    throw new Error('no index');
  if (held.scale === scale && held.offset === offset && held.counts.length === buckets) return held;
  const bases = new Map<number, number>();
  if (scale <= held.scale)
    held.counts.forEach(({ value }, i) => {
      const index = Math.floor((held.offset + i) / 2 ** (held.scale - scale));
      bases.set(index, (bases.get(index) ?? 0) + value);
    });
  const counts = Array.from({ length: buckets }, (_, i) => ({ value: bases.get(offset + i) ?? 0, mode: 0 }));
  return { scale, offset, counts };
}

const view = new DataView(new ArrayBuffer(8));

function toBits(value: number): bigint {
  view.setFloat64(0, value);
  return view.getBigUint64(0);
}

function fromBits(bits: bigint): number {
  view.setBigUint64(0, bits);
  return view.getFloat64(0);
}
