import type { OutputStream } from './output-stream.ts';

/**
 * Streams by the numbers that a journal knows them by: those that reads change. Numbers are given in the order in which such streams are made, and never again, so
 * that a stream has the same one when all that made it is done again.
 */
export class NumberedStreams {
  readonly #byNumber = new Map<number, OutputStream>();
  #last: number;

  /** @param last number that was given */
  constructor(last = 0) {
    this.#last = last;
  }

  get last(): number {
    return this.#last;
  }

  at(number: number): OutputStream | undefined {
    return this.#byNumber.get(number);
  }

  /** A new stream gets the next number, if it is one that wants one. */
  enter(stream: OutputStream): void {
    if (stream.number === undefined) return;
    stream.number = ++this.#last;
    this.#byNumber.set(stream.number, stream);
  }

  /** A stream comes with its number. Gives false where that is another one's, or was never given. */
  adopt(stream: OutputStream): boolean {
    const { number } = stream;
    if (number === undefined) return true;
    if (number < 1 || number > this.#last || this.#byNumber.has(number)) return false;
    this.#byNumber.set(number, stream);
    return true;
  }

  remove(stream: OutputStream): void {
    if (stream.number !== undefined) this.#byNumber.delete(stream.number);
  }
}
