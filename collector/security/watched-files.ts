import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { ConfigError } from '../../otel/config/config-error.ts';
import { fileFault } from '../../otel/config/file-fault.ts';

const maxFileBytes = 1024 * 1024;

export interface WatchedFile {
  /** The key of the configuration that names it: `grpc.tls.cert_file`. */
  readonly key: string;
  readonly path: string;
  /** The path as messages have it. */
  readonly shown: string;
}

export interface WatchedFilesOptions<T> {
  readonly files: readonly WatchedFile[];
  readonly intervalMs: number;
  /** Makes what is wanted of the files' contents, in their order. Throws {@link ConfigError} when they cannot be used. */
  readonly read: (contents: readonly Buffer[]) => T;
  /** The files changed, and this is what they come to now. */
  readonly onChange: (value: T) => void;
  /** They changed and cannot be used; what they were holds. Told once for each change. */
  readonly onBroken: (error: Error) => void;
}

/**
 * Files that are read at the start and looked at again and again. They are compared by their contents, since what certificates and secrets
 * are mounted from swaps links in ways that watching a file does not see. Files that belong together change one after the other, so
 * what cannot be used is told of only when it is still the same at the next look.
 */
export class WatchedFiles<T> {
  readonly #options: WatchedFilesOptions<T>;
  #value: T;
  /** What the files held when they were last looked at, or why one could not be read. */
  #seen: string;
  #broken: { seen: string; error: Error; isTold: boolean } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;

  /** Reads the files. @throws ConfigError when they cannot be used */
  constructor(options: WatchedFilesOptions<T>) {
    this.#options = options;
    const contents = options.files.map((file) => {
      try {
        return checked(file, readFileSync(file.path));
      } catch (error) {
        throw unreadable(file, error);
      }
    });
    this.#value = options.read(contents);
    this.#seen = fingerprint(contents);
  }

  get value(): T {
    return this.#value;
  }

  start(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => void this.look(), this.#options.intervalMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Looks at the files now. Never rejects. */
  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const contents = await Promise.all(this.#options.files.map(readChecked));
      const seen = fingerprint(contents);
      if (seen === this.#seen) this.#broken = undefined;
      else if (this.#broken?.seen === seen) this.#stillBroken(this.#broken);
      else this.#change(contents, seen);
    } catch (error) {
      const { message } = error as Error;
      if (this.#broken?.seen === message) this.#stillBroken(this.#broken);
      else this.#broken = { seen: message, error: error as Error, isTold: false };
    } finally {
      this.#isLooking = false;
    }
  }

  #change(contents: readonly Buffer[], seen: string): void {
    try {
      this.#value = this.#options.read(contents);
    } catch (error) {
      this.#broken = { seen, error: error as Error, isTold: false };
      return;
    }
    this.#seen = seen;
    this.#broken = undefined;
    this.#options.onChange(this.#value);
  }

  #stillBroken(broken: { error: Error; isTold: boolean }): void {
    if (broken.isTold) return;
    broken.isTold = true;
    this.#options.onBroken(broken.error);
  }
}

async function readChecked(file: WatchedFile): Promise<Buffer> {
  try {
    return checked(file, await readFile(file.path));
  } catch (error) {
    throw unreadable(file, error);
  }
}

function checked(file: WatchedFile, content: Buffer): Buffer {
  if (content.length <= maxFileBytes) return content;
  throw fileProblem(file, `has ${content.length} bytes; at most ${maxFileBytes} are allowed`);
}

function unreadable(file: WatchedFile, error: unknown): Error {
  return error instanceof ConfigError ? error : fileProblem(file, `cannot be read: ${fileFault(error)}`);
}

/** What is wrong with a file, as an error that names it and the key that does. */
export function fileProblem({ key, shown }: WatchedFile, problem: string): ConfigError {
  return ConfigError.of(shown, problem, key);
}

function fingerprint(contents: readonly Buffer[]): string {
  const hash = createHash('sha256');
  for (const content of contents) hash.update(`${content.length}:`).update(content);
  return hash.digest('base64');
}
