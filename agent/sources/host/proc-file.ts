import fs from 'node:fs';
import { causeOf, type HostContext } from './host-context.ts';

/** How long a file that could not be read is left alone. */
export const retryAfterMs = 60_000;

/**
 * A file of /proc that is read again and again through one descriptor. When it cannot be read, that is said once, and it is
 * tried again at most every 60 s; when it can be read again, it simply is.
 */
export class ProcFile {
  readonly path: string;
  readonly #context: HostContext;
  readonly #metrics: string;
  readonly #optional: boolean;
  #fd = -1;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  #warned = false;

  /**
   * @param path - from the host's root: `/proc/stat`
   * @param metrics - what is missing without it, for the warning
   * @param optional - whether a host may well not have it, so that there is nothing to warn of
   */
  constructor(context: HostContext, path: string, metrics: string, optional = false) {
    this.#context = context;
    this.path = `${context.root}${path}`;
    this.#metrics = metrics;
    this.#optional = optional;
    context.onStop(() => this.close());
  }

  /** Reads the file into the context's text. False: it cannot be read at present. */
  read(): boolean {
    return this.attempt((fd) => this.#context.text.fill(fd));
  }

  /** Gives the open file to `use`; what that throws makes the file unreadable. */
  attempt(use: (fd: number) => void): boolean {
    if (this.#fd < 0 && this.#context.clock.monotonicMs() < this.#retryAtMs) return false;
    const fresh = this.#fd < 0;
    try {
      if (fresh) this.#fd = fs.openSync(this.path, 'r');
      use(this.#fd);
      return true;
    } catch (error) {
      this.close();
      // A descriptor from before a remount may be stale while the path is good.
      if (!fresh) return this.attempt(use);
      this.#failed(error);
      return false;
    }
  }

  close(): void {
    if (this.#fd < 0) return;
    try {
      fs.closeSync(this.#fd);
    } catch {
      // Nothing was written through it, so nothing is lost.
    }
    this.#fd = -1;
  }

  #failed(error: unknown): void {
    this.#retryAtMs = this.#context.clock.monotonicMs() + retryAfterMs;
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (this.#warned || (missing && this.#optional)) return;
    this.#warned = true;
    this.#context.log.warn(
      { path: this.path },
      `cannot read ${this.path} (${causeOf(error)}): ${this.#metrics} left out; tried again every ${retryAfterMs / 1000} s`,
    );
  }
}
