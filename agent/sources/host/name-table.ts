import { textOf } from './text-of.ts';

interface Entry<Item> {
  readonly bytes: Uint8Array;
  readonly key: string;
  readonly item: Item;
  seen: number;
}

/**
 * Items by the names that a file lists, one a line. The kernel lists them in the same order each time, so a name is compared
 * with the one that stood there last time, as bytes; only a change of the list makes a string of it.
 */
export class NameTable<Item> {
  readonly #create: (name: string) => Item;
  readonly #maxNames: number;
  readonly #byKey = new Map<string, Entry<Item>>();
  readonly #order: Entry<Item>[] = [];
  #pass = 0;
  #next = 0;

  /**
   * @param create - makes the item of a name that is new
   * @param maxNames - names beyond this many have no item
   */
  constructor(create: (name: string) => Item, maxNames: number) {
    this.#create = create;
    this.#maxNames = maxNames;
  }

  get full(): boolean {
    return this.#byKey.size >= this.#maxNames;
  }

  /** Begins a reading of the list. */
  begin(): void {
    this.#pass++;
    this.#next = 0;
  }

  /** The item of the name in `bytes[from..to)`; `undefined` when the table is full. */
  at(bytes: Uint8Array, from: number, to: number): Item | undefined {
    const expected = this.#order[this.#next];
    const entry =
      expected !== undefined && same(expected.bytes, bytes, from, to)
        ? expected
        : this.#find(bytes.subarray(from, to));
    if (entry === undefined) return undefined;
    this.#order[this.#next++] = entry;
    entry.seen = this.#pass;
    return entry.item;
  }

  /** Asks, for each item whose name was not listed since `begin`, whether it shall be forgotten. */
  sweep(forget: (item: Item) => boolean): void {
    // Nothing is missing when all that there is stood in the list, each once.
    if (this.#next === this.#byKey.size && this.#next === this.#order.length) return;
    this.#order.length = this.#next;
    for (const entry of this.#byKey.values())
      if (entry.seen !== this.#pass && forget(entry.item)) this.#byKey.delete(entry.key);
  }

  items(): Item[] {
    return Array.from(this.#byKey.values(), (entry) => entry.item);
  }

  #find(name: Uint8Array): Entry<Item> | undefined {
    const key = Buffer.from(name).toString('latin1');
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    if (this.full) return undefined;
    const entry = { bytes: Uint8Array.from(name), key, item: this.#create(textOf(name)), seen: 0 };
    this.#byKey.set(key, entry);
    return entry;
  }
}

function same(name: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (name.length !== to - from) return false;
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[from + i]) return false;
  return true;
}
