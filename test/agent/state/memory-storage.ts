import type { FoundState, StateStorage } from '../../../agent/state/state-file.ts';

/** What outlives processes. */
export class MemoryDisk {
  content: string | undefined;
  readonly aside: string[] = [];
  /** Writings fail while there is an error. */
  error: Error | undefined;
}

/** A file in memory, as one process has it. A writing is on the disk when the test says so, or never. */
export class MemoryStorage implements StateStorage {
  readonly path = '/memory/agent-state';
  readonly #disk: MemoryDisk;
  #isDead = false;
  #pending: { body: string; resolve: () => void; reject: (error: Error) => void } | undefined;

  constructor(disk: MemoryDisk) {
    this.#disk = disk;
  }

  read(): FoundState {
    const { content } = this.#disk;
    return content === undefined ? { kind: 'none' } : { kind: 'body', body: content };
  }

  setAside(): string {
    this.#disk.aside.push(this.#disk.content!);
    this.#disk.content = undefined;
    return `${this.path}.unusable`;
  }

  writeSync(body: string): void {
    if (this.#disk.error !== undefined) throw this.#disk.error;
    this.#disk.content = body;
  }

  write(body: string): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.#isDead) this.#pending = { body, resolve, reject };
    });
  }

  /** The writing that is under way ends. */
  flush(): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending === undefined) return;
    const { error } = this.#disk;
    if (error !== undefined) {
      pending.reject(error);
      return;
    }
    this.#disk.content = pending.body;
    pending.resolve();
  }

  /** The process is gone. */
  kill(): void {
    this.#isDead = true;
    this.#pending = undefined;
  }
}
