import fs from 'node:fs';
import path from 'node:path';
import type { OpenMode, Storage, StorageFile, StoredFile } from './storage.ts';

const flags: Readonly<Record<OpenMode, string>> = { read: 'r', update: 'r+', create: 'wx+' };

/** A directory of this machine's file system. */
export class NodeStorage implements Storage {
  readonly path: string;

  constructor(directory: string) {
    this.path = path.resolve(directory);
  }

  async list(folder = '.'): Promise<readonly StoredFile[]> {
    const files: StoredFile[] = [];
    for (const name of await fs.promises.readdir(this.#at(folder)).catch(emptyWhenMissing)) {
      // A file may go while the list is made.
      const stats = await fs.promises.lstat(this.#at(folder, name)).catch(() => undefined);
      if (stats?.isFile()) files.push({ name, bytes: stats.size, modifiedMs: stats.mtimeMs });
    }
    return files;
  }

  open(name: string, mode: OpenMode): Promise<StorageFile> {
    return call<number>((done) => fs.open(this.#at(name), flags[mode], 0o600, done)).then(
      (fd) => new NodeFile(fd),
    );
  }

  rename(from: string, to: string): Promise<void> {
    return fs.promises.rename(this.#at(from), this.#at(to));
  }

  remove(name: string): Promise<void> {
    return fs.promises.rm(this.#at(name), { force: true });
  }

  async makeFolder(name: string): Promise<void> {
    await fs.promises.mkdir(this.#at(name), { recursive: true, mode: 0o700 });
  }

  async syncDirectory(folder = '.'): Promise<void> {
    // A directory cannot be opened there, and its names need no sync.
    if (process.platform === 'win32') return;
    const file = await this.open(folder, 'read');
    try {
      await (file as NodeFile).syncMetadata();
    } finally {
      await file.close();
    }
  }

  #at(...names: readonly string[]): string {
    return path.join(this.path, ...names);
  }
}

/** On the callback functions: a commit costs two calls, and promises of `FileHandle` twice the time on the main thread. */
class NodeFile implements StorageFile {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  async size(): Promise<number> {
    return (await call<fs.Stats>((done) => fs.fstat(this.#fd, done))).size;
  }

  read(buffer: Uint8Array, offset: number): Promise<number> {
    return call((done) => fs.read(this.#fd, buffer, 0, buffer.length, offset, done));
  }

  write(buffers: readonly Uint8Array[], offset: number): Promise<number> {
    // The system takes 1,024 at a time.
    return buffers.length === 1
      ? call((done) => fs.write(this.#fd, buffers[0]!, 0, buffers[0]!.length, offset, done))
      : call((done) => fs.writev(this.#fd, buffers.slice(0, 1024), offset, done));
  }

  truncate(bytes: number): Promise<void> {
    return call((done) => fs.ftruncate(this.#fd, bytes, done));
  }

  sync(): Promise<void> {
    return call((done) => fs.fdatasync(this.#fd, done));
  }

  syncMetadata(): Promise<void> {
    return call((done) => fs.fsync(this.#fd, done));
  }

  close(): Promise<void> {
    return call((done) => fs.close(this.#fd, done));
  }
}

function call<T>(run: (done: (error: NodeJS.ErrnoException | null, result?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) =>
    run((error, result) => (error ? reject(error) : resolve(result as T))),
  );
}

function emptyWhenMissing(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}
