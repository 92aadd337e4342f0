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

  release(number: number): void {
    if (number === 0 || --this.#holders[number]! > 0) return;
    this.#numbers.delete(this.#tokens[number]!);
    this.#tokens[number] = undefined;
    this.#free.push(number);
  }
}
