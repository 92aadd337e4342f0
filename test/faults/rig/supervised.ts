import type { Child } from '../../process/child.ts';

/** A program that is killed and started again. */
export class Supervised {
  readonly name: string;
  kills = 0;
  readonly #start: () => Child;
  #child: Child | undefined;

  /** @param start starts it, under the same addresses and directories each time */
  constructor(name: string, start: () => Child) {
    this.name = name;
    this.#start = start;
  }

  /** The one that runs, or ran last. */
  get child(): Child {
    if (this.#child === undefined) throw new Error(`${this.name} was not started`);
    return this.#child;
  }

  get isRunning(): boolean {
    return this.#child !== undefined && !this.#child.ended;
  }

  start(): Child {
    if (this.isRunning) throw new Error(`${this.name} runs already`);
    this.#child = this.#start();
    return this.#child;
  }

  /** SIGKILL. @throws Error when it ended by itself before: nothing may do that */
  async kill(): Promise<void> {
    const { child } = this;
    if (child.ended) {
      const { code, signal } = await child.wait();
      throw new Error(
        `${this.name} ended by itself, with ${signal ?? code}. It wrote:\n${child.output.slice(-8000)}`,
      );
    }
    this.kills++;
    await child.kill();
  }
}
