/**
 * Runs jobs, a few at a time. Those that wait have their turns client by client, so that one with many jobs makes another wait for one
 * of them at most.
 */
export class FairQueue {
  readonly #maxRunning: number;
  /** By client; the next turn is that of the first one. Nobody is in here without a job. */
  readonly #waiting = new Map<string, (() => void)[]>();
  #running = 0;

  constructor(maxRunning: number) {
    this.#maxRunning = maxRunning;
  }

  /** Gives what the job gives, and throws what it throws. */
  async run<T>(client: string, job: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#maxRunning) await this.#turn(client);
    else this.#running++;
    try {
      return await job();
    } finally {
      this.#next();
    }
  }

  /** Resolves with the place of a job that has ended. */
  #turn(client: string): Promise<void> {
    return new Promise((resolve) => {
      const jobs = this.#waiting.get(client);
      if (jobs === undefined) this.#waiting.set(client, [resolve]);
      else jobs.push(resolve);
    });
  }

  #next(): void {
    const [first] = this.#waiting;
    if (first === undefined) {
      this.#running--;
      return;
    }
    const [client, jobs] = first;
    const start = jobs.shift()!;
    // Behind those who wait.
    this.#waiting.delete(client);
    if (jobs.length > 0) this.#waiting.set(client, jobs);
    start();
  }
}
