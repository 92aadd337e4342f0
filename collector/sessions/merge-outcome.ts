/** Why a value was not taken. */
export type RejectCause = 'epoch_fell' | 'not_finite' | 'negative' | 'out_of_range';

export interface Rejected {
  readonly number: number;
  readonly cause: RejectCause;
  readonly value: number;
}

/** What merging one group's report came to, beyond the values themselves. Used again for the next group. */
export class MergeOutcome {
  readonly rejected: Rejected[] = [];
  /** First values that merging views set aside. */
  baselines = 0;
  readonly #numbers = new Set<number>();

  /** Notes a series whose value was not taken: once, however many of its values were found wanting. */
  reject(number: number, value: number, held: number): void {
    const cause = !Number.isFinite(value)
      ? 'not_finite'
      : value < 0 && held === 0
        ? 'negative'
        : value < held
          ? 'epoch_fell'
          : 'out_of_range';
    this.rejectFor(number, value, cause);
  }

  /** The same, where the cause is known. */
  rejectFor(number: number, value: number, cause: RejectCause): void {
    if (this.#numbers.has(number)) return;
    this.#numbers.add(number);
    this.rejected.push({ number, cause, value });
  }

  isRejected(number: number): boolean {
    return this.#numbers.has(number);
  }

  clear(): void {
    this.rejected.length = 0;
    this.#numbers.clear();
    this.baselines = 0;
  }
}
