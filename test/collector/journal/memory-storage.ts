import type { OpenMode, Storage, StorageFile, StoredFile } from '../../../collector/journal/storage.ts';

interface Write {
  readonly offset: number;
  /** `undefined`: the file is cut at the offset. */
  readonly bytes: Buffer | undefined;
}

interface Inode {
  current: Buffer;
  /** What a power cut leaves for certain, and what was written since. */
  synced: Buffer;
  unsynced: Write[];
}

type Names = Map<string, Inode>;

export type StorageCall =
  | 'open'
  | 'read'
  | 'write'
  | 'truncate'
  | 'sync'
  | 'rename'
  | 'remove'
  | 'syncDirectory';

/** Throws, or gives how many bytes a write may take, or nothing. */
export type Fault = (call: StorageCall, name: string) => number | undefined;

const sector = 512;

/** A disk in memory, whose power can be cut. Every call takes a turn of the event loop. */
export class MemoryStorage implements Storage {
  readonly path = '/memory';
  /** May let a call fail. */
  fault: Fault | undefined;
  /** All files together have at most so many bytes. */
  capacity = Number.POSITIVE_INFINITY;
  readonly calls: string[] = [];
  /** Segments that were removed, as they were then. */
  readonly removed: Map<string, Buffer>;
  #names: Names = new Map();
  #syncedNames: Names = new Map();
  /** The names after each change that is not synced. */
  #changes: Names[] = [];
  /** Writes that were asked for and are not done. */
  readonly #underWay = new Set<{ inode: Inode; offset: number; bytes: Buffer }>();
  #isDead = false;

  constructor(removed: ReadonlyMap<string, Buffer> = new Map()) {
    this.removed = new Map(removed);
  }

  static of(files: ReadonlyMap<string, Buffer>, removed?: ReadonlyMap<string, Buffer>): MemoryStorage {
    const storage = new MemoryStorage(removed);
    for (const [name, bytes] of files)
      storage.#names.set(name, { current: Buffer.from(bytes), synced: Buffer.from(bytes), unsynced: [] });
    storage.#syncedNames = new Map(storage.#names);
    return storage;
  }

  /** What stands in it now, as any process sees it. */
  files(): Map<string, Buffer> {
    return new Map([...this.#names].map(([name, { current }]) => [name, Buffer.from(current)]));
  }

  /**
   * The process is killed: nothing it still asks for is done, all that was done stays.
   *
   * @param random from 0 to 1: how much is done of each write that is under way. Default: nothing
   */
  kill(random?: () => number): MemoryStorage {
    this.#isDead = true;
    if (random !== undefined)
      for (const { inode, offset, bytes } of this.#underWay) {
        const length = Math.min(bytes.length, Math.floor(random() * 1.25 * (bytes.length + 1)));
        apply(inode, { offset, bytes: bytes.subarray(0, length) });
      }
    return MemoryStorage.of(this.files(), this.removed);
  }

  /**
   * The power is cut: of what was not synced, any number of the first writes to a file is there, the last of these in part, with anything in its
   * last sector; of changes to names, any number of the first.
   *
   * @param random from 0 to 1
   */
  cutPower(random: () => number): MemoryStorage {
    this.#isDead = true;
    const states = [this.#syncedNames, ...this.#changes];
    const names = states[Math.floor(random() * states.length)]!;
    return MemoryStorage.of(
      new Map([...names].map(([name, inode]) => [name, afterCut(inode, random)])),
      this.removed,
    );
  }

  async list(folder = ''): Promise<readonly StoredFile[]> {
    await this.#turn('open', folder);
    const prefix = folder === '' ? '' : `${folder}/`;
    return [...this.#names]
      .filter(([name]) => name.startsWith(prefix) && !name.slice(prefix.length).includes('/'))
      .map(([name, { current }]) => ({
        name: name.slice(prefix.length),
        bytes: current.length,
        modifiedMs: 0,
      }));
  }

  async open(name: string, mode: OpenMode): Promise<StorageFile> {
    await this.#turn('open', name);
    const there = this.#names.get(name);
    if (mode === 'create' ? there !== undefined : there === undefined)
      throw failure(mode === 'create' ? 'EEXIST' : 'ENOENT');
    if (there !== undefined) return this.#file(name, there);
    const inode: Inode = { current: Buffer.alloc(0), synced: Buffer.alloc(0), unsynced: [] };
    this.#change((names) => names.set(name, inode));
    return this.#file(name, inode);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#turn('rename', to);
    const inode = this.#names.get(from);
    if (inode === undefined) throw failure('ENOENT');
    this.#change((names) => {
      names.delete(from);
      names.set(to, inode);
    });
  }

  async remove(name: string): Promise<void> {
    await this.#turn('remove', name);
    const inode = this.#names.get(name);
    if (inode === undefined) return;
    if (name.startsWith('segment-')) this.removed.set(name, inode.current);
    this.#change((names) => names.delete(name));
  }

  async makeFolder(): Promise<void> {}

  async syncDirectory(): Promise<void> {
    await this.#turn('syncDirectory', '');
    this.#syncedNames = this.#names;
    this.#changes = [];
  }

  #file(name: string, inode: Inode): StorageFile {
    return {
      size: async () => inode.current.length,
      read: async (buffer, offset) => {
        await this.#turn('read', name);
        return inode.current.copy(buffer, 0, offset, offset + buffer.length);
      },
      write: async (buffers, offset) => {
        const all = Buffer.concat(buffers);
        const write = { inode, offset, bytes: all };
        this.#underWay.add(write);
        const most = await this.#turn('write', name).finally(() => this.#underWay.delete(write));
        const used = [...new Set(this.#names.values())].reduce((sum, { current }) => sum + current.length, 0);
        const room = Math.max(0, this.capacity - used) + Math.max(0, inode.current.length - offset);
        const bytes = all.subarray(0, Math.min(all.length, most ?? all.length, room));
        if (bytes.length === 0 && all.length > 0) throw failure('ENOSPC');
        apply(inode, { offset, bytes });
        return bytes.length;
      },
      truncate: async (offset) => {
        await this.#turn('truncate', name);
        apply(inode, { offset, bytes: undefined });
      },
      sync: async () => {
        await this.#turn('sync', name);
        inode.synced = inode.current;
        inode.unsynced = [];
      },
      close: async () => {},
    };
  }

  #change(make: (names: Names) => void): void {
    this.#names = new Map(this.#names);
    make(this.#names);
    this.#changes.push(this.#names);
  }

  async #turn(call: StorageCall, name: string): Promise<number | undefined> {
    await new Promise(setImmediate);
    if (this.#isDead) await new Promise(() => {});
    this.calls.push(`${call} ${name}`);
    return this.fault?.(call, name);
  }
}

export function failure(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: made by the test`), { code });
}

function apply(inode: Inode, write: Write): void {
  inode.current = written(inode.current, write);
  inode.unsynced.push(write);
}

function written(before: Buffer, { offset, bytes }: Write): Buffer {
  if (bytes === undefined) return Buffer.from(before.subarray(0, offset));
  const after = Buffer.alloc(Math.max(before.length, offset + bytes.length));
  before.copy(after);
  bytes.copy(after, offset);
  return after;
}

function afterCut(inode: Inode, random: () => number): Buffer {
  const count = Math.floor(random() * (inode.unsynced.length + 1));
  let bytes = inode.synced;
  for (const [index, write] of inode.unsynced.slice(0, count).entries()) {
    if (index < count - 1 || write.bytes === undefined) {
      bytes = written(bytes, write);
      continue;
    }
    const length = Math.floor(random() * (write.bytes.length + 1));
    const part = Buffer.from(write.bytes.subarray(0, length));
    // The sector in which the write ended.
    if (random() < 0.5)
      for (let at = Math.max(0, length - ((random() * sector) | 0)); at < length; at++)
        part[at] = random() * 256;
    bytes = written(bytes, { offset: write.offset, bytes: part });
  }
  return bytes;
}
