import { EpochsPart, type HeldEpochs } from './snapshot/epochs-part.ts';

/**
 * Epoch tokens under small numbers, so that a series keeps four bytes. Number 0 is no epoch. Counted by their holders and used
 * again after the last one has let go.
 */
export class Epochs {
  readonly #numbers = new Map<string, number>();
  readonly #tokens: (string | undefined)[] = [''];
  readonly #holders: number[] = [1];
  readonly #free: number[] = [];

  get size(): number {
    return this.#numbers.size;
  }

  /** The token's number, with one more holder. The empty token is 0. */
  acquire(token: string): number {
    if (token === '') return 0;
    const known = this.#numbers.get(token);
    if (known !== undefined) {
      this.#holders[known]!++;
      return known;
    }
    const number = this.#free.pop() ?? this.#tokens.length;
    this.#tokens[number] = token;
    this.#holders[number] = 1;
    this.#numbers.set(token, number);
    return number;
  }

  /** One more holder of a number that is held. */
  hold(number: number): number {
    if (number !== 0) this.#holders[number]!++;
    return number;
  }

  /** Whether there is such a number. */
  has(number: number): boolean {
    return this.#tokens[number] !== undefined;
  }

  /** For a snapshot. Loaded ones have no holders yet. */
  snapshotPart(): EpochsPart {
    const held: HeldEpochs = {
      tokens: this.#tokens,
      holders: this.#holders,
      free: this.#free,
      numbers: this.#numbers,
    };
    return new EpochsPart(held);
  }

  /** Lets go of what nobody holds. For a state that has been loaded. */
  releaseUnheld(): void {
    for (let number = 1; number < this.#tokens.length; number++)
      if (this.#tokens[number] !== undefined && this.#holders[number] === 0) {
        this.#holders[number] = 1;
        this.release(number);
      }
  }

  release(number: number): void {
    if (number === 0 || --this.#holders[number]! > 0) return;
    this.#numbers.delete(this.#tokens[number]!);
    this.#tokens[number] = undefined;
    this.#free.push(number);
  }
}
