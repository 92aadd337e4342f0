import { randomBytes } from 'node:crypto';
import type { MetricKind } from '../model/metric.ts';
import type { SeriesColumns } from './series-columns.ts';

/** Kinds in the order of their codes. */
export const kindsByCode: readonly MetricKind[] = [
  'sum',
  'gauge',
  'histogram',
  'exponential_histogram',
  'summary',
];

const codes = Object.fromEntries(kindsByCode.map((kind, code) => [kind, code])) as Record<MetricKind, number>;

/** A series in one number, its entry: `slot << 4 | isForeign << 3 | kind`. Never 0, as slot 0 is nobody's. Slots are below 2^28. */
export function entryOf(kind: MetricKind, slot: number, isForeign = false): number {
  return ((slot << slotShift) | (isForeign ? foreignBit : 0) | codes[kind]) >>> 0;
}

export function slotOf(entry: number): number {
  return entry >>> slotShift;
}

/** Index into {@link kindsByCode}. */
export function kindCodeOf(entry: number): number {
  return entry & kindMask;
}

/** Whether the series' resource is not its member's own. */
export function isForeign(entry: number): boolean {
  return (entry & foreignBit) !== 0;
}

/** Whether a number is the entry of a slot that there is, in use or free. */
export function isEntry(entry: number, columns: readonly SeriesColumns[]): boolean {
  const slot = slotOf(entry);
  return slot > 0 && slot < (columns[kindCodeOf(entry)]?.length ?? 0);
}

const slotShift = 4;
const foreignBit = 8;
const kindMask = 7;

const none = new Uint32Array(0);
const smallest = 8;
/** Places depend on it, so that nobody can choose definitions that all want the same one. Nothing else does: see {@link MemberSeries.sorted}. */
const seed = randomBytes(4).readUInt32LE();

/**
 * The series of one member, found by definition and, where it is not the member's own, resource. A table of entries with open
 * addressing and linear probing, at most three quarters full: 5.3 to 10.7 bytes a series. Keys are not in it; they are compared, and
 * placed when the table is made anew, by the columns that the entries point to, so these must not change while an entry is here.
 */
export class MemberSeries {
  readonly #columns: readonly SeriesColumns[];
  #entries = none;
  #size = 0;

  /** @param columns of the states, by kind code */
  constructor(columns: readonly SeriesColumns[]) {
    this.#columns = columns;
  }

  get size(): number {
    return this.#size;
  }

  /** The slot of a series, or 0. `resource`: its number where it is foreign; `undefined`: the member's own. */
  slot(kind: MetricKind, definition: number, resource: number | undefined): number {
    const low = resource === undefined ? codes[kind] : codes[kind] | foreignBit;
    const columns = this.#columns[codes[kind]]!;
    const entries = this.#entries;
    if (this.#size === 0) return 0;
    for (let at = hash(definition, resource); ; at++) {
      const entry = entries[at & (entries.length - 1)]!;
      if (entry === 0) return 0;
      if ((entry & (kindMask | foreignBit)) !== low) continue;
      const slot = entry >>> slotShift;
      if (columns.definition.get(slot) !== definition) continue;
      if (resource === undefined || columns.resource.get(slot) === resource) return slot;
    }
  }

  /** Puts a series in that is not here. Its columns are filled. */
  add(entry: number): void {
    if ((this.#size + 1) * 4 > this.#entries.length * 3)
      this.#resize(Math.max(smallest, this.#entries.length * 2));
    this.#put(entry);
    this.#size++;
  }

  /** Takes a series out. Gives whether it was here. */
  delete(entry: number): boolean {
    let hole = this.#find(entry);
    if (hole < 0) return false;
    const entries = this.#entries;
    const mask = entries.length - 1;
    // What stands behind and could stand nearer to its own place moves up, so that no search ends too early.
    for (let at = (hole + 1) & mask; entries[at] !== 0; at = (at + 1) & mask) {
      const home = this.#hash(entries[at]!) & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      entries[hole] = entries[at]!;
      hole = at;
    }
    entries[hole] = 0;
    this.#size--;
    if (entries.length > smallest && this.#size * 8 < entries.length) this.#resize(entries.length / 2);
    return true;
  }

  /** Every entry, in no order that means something. Nothing may be added or deleted meanwhile. */
  forEach(visit: (entry: number) => void): void {
    for (const entry of this.#entries) if (entry !== 0) visit(entry);
  }

  /** The table as it is, with 0 where nothing is. Valid until the next change. */
  get table(): Uint32Array<ArrayBuffer> {
    return this.#entries;
  }

  /** A copy of the entries, ascending: for whatever depends on their order, which has to be the same in each process. */
  sorted(): Uint32Array {
    return this.#entries.filter((entry) => entry !== 0).sort();
  }

  #find(entry: number): number {
    if (this.#size === 0) return -1;
    const entries = this.#entries;
    const mask = entries.length - 1;
    for (let at = this.#hash(entry) & mask; entries[at] !== 0; at = (at + 1) & mask)
      if (entries[at] === entry) return at;
    return -1;
  }

  #put(entry: number): void {
    const entries = this.#entries;
    const mask = entries.length - 1;
    let at = this.#hash(entry) & mask;
    while (entries[at] !== 0) at = (at + 1) & mask;
    entries[at] = entry;
  }

  #resize(length: number): void {
    const before = this.#entries;
    this.#entries = new Uint32Array(length);
    for (const entry of before) if (entry !== 0) this.#put(entry);
  }

  #hash(entry: number): number {
    const columns = this.#columns[entry & kindMask]!;
    const slot = entry >>> slotShift;
    return hash(
      columns.definition.get(slot),
      (entry & foreignBit) === 0 ? undefined : columns.resource.get(slot),
    );
  }
}

/** Every bit depends on all of definition, resource and seed. */
function hash(definition: number, resource: number | undefined): number {
  let h = definition ^ seed;
  if (resource !== undefined) h = mixed(h) ^ (resource + 1);
  return mixed(h);
}

/** The finalizer of MurmurHash3. */
function mixed(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
