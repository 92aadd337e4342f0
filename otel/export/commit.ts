/** Whether what was read up to some moment is committed: only then may it leave. */
export class Commit {
  #isDone: boolean;
  readonly #waiting = new Set<() => void>();

  /** @param committed resolves when it is. `undefined`: at once. It should not reject; one that does is never committed */
  constructor(committed: Promise<void> | undefined) {
    this.#isDone = committed === undefined;
    committed?.then(
      () => {
        this.#isDone = true;
        for (const end of [...this.#waiting]) end();
      },
      () => {},
    );
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  /** Resolves when it is committed, or as soon as one of the signals is aborted. Gives whether it is committed. */
  wait(...signals: readonly AbortSignal[]): Promise<boolean> {
    if (this.#isDone || signals.some((signal) => signal.aborted)) return Promise.resolve(this.#isDone);
    return new Promise((resolve) => {
      const end = (): void => {
        this.#waiting.delete(end);
        for (const signal of signals) signal.removeEventListener('abort', end);
        resolve(this.#isDone);
      };
      this.#waiting.add(end);
      for (const signal of signals) signal.addEventListener('abort', end);
    });
  }
}
