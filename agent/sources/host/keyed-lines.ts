import type { ProcText } from './proc-text.ts';

/**
 * Reads the numbers of a file of `key value` lines, such as /proc/meminfo and /proc/vmstat. The order of a kernel's lines stays
 * as it is, so each line is compared with one key only: the next one in the order of the last reading.
 */
export class KeyedLines {
  /** The value of key `i`, or NaN when the file has no such line. */
  readonly values: Float64Array;
  readonly #keys: readonly Uint8Array[];
  /** Indexes of the keys that were found, in the order of the lines. */
  #order: number[] = [];

  /** @param keys - each with what follows it up to the number: `MemTotal:`, `pgfault ` */
  constructor(keys: readonly string[]) {
    this.#keys = keys.map((key) => Buffer.from(key, 'latin1'));
    this.values = new Float64Array(keys.length).fill(Number.NaN);
  }

  /** Reads what the text holds from here on. */
  read(text: ProcText): void {
    const from = text.at;
    if (this.#order.length > 0 && this.#readInOrder(text)) return;
    text.at = from;
    this.#readInAnyOrder(text);
  }

  #readInOrder(text: ProcText): boolean {
    const order = this.#order;
    let next = 0;
    while (text.more) {
      const index = order[next]!;
      const key = this.#keys[index]!;
      if (text.startsWith(key)) {
        text.at += key.length;
        this.values[index] = text.integer();
        if (++next === order.length) return true;
      }
      text.nextLine();
    }
    return false;
  }

  #readInAnyOrder(text: ProcText): void {
    this.#order = [];
    this.values.fill(Number.NaN);
    for (; text.more; text.nextLine()) {
      const index = this.#keys.findIndex((key) => text.startsWith(key));
      if (index < 0 || !Number.isNaN(this.values[index]!)) continue;
      text.at += this.#keys[index]!.length;
      this.values[index] = text.integer();
      if (!Number.isNaN(this.values[index]!)) this.#order.push(index);
    }
  }
}
