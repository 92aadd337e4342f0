import type { Temporality } from '../../otel/model/metric.ts';

/** What tells a reader from others. Those without a name are each their own. */
interface NamedReader {
  readonly name: string;
  readonly temporality: Temporality;
}

/**
 * The numbers by which the journal knows readers, from 0 since the directory was opened. One that comes again, with other requests, keeps its number; the number of
 * one that is gone is the next one's. So there are never more numbers than there were readers at one time.
 */
export class ReaderNumbers<T extends NamedReader> {
  readonly #readers: (T | undefined)[] = [];

  /** By number; `undefined`: that number is free. */
  get all(): readonly (T | undefined)[] {
    return this.#readers;
  }

  at(number: number): T | undefined {
    return this.#readers[number];
  }

  /** Gives its number. */
  add(reader: T): number {
    const { name, temporality } = reader;
    const known = this.#readers.findIndex(
      (one) => name !== '' && one?.name === name && one.temporality === temporality,
    );
    const free = known === -1 ? this.#readers.indexOf(undefined) : known;
    const number = free === -1 ? this.#readers.length : free;
    this.#readers[number] = reader;
    return number;
  }

  /** As a checkpoint has it, after all that came before: a number, or one that is free. */
  restore(reader: T | undefined): void {
    this.#readers.push(reader);
  }

  remove(number: number): void {
    this.#readers[number] = undefined;
  }
}
