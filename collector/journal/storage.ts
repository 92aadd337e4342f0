/** A file of a data directory, as a listing shows it. */
export interface StoredFile {
  readonly name: string;
  readonly bytes: number;
  /** Milliseconds since the Unix epoch. */
  readonly modifiedMs: number;
}

/** An open file. All calls reject with the platform's error, whose `code` is ENOSPC, EIO and so on. */
export interface StorageFile {
  /** Bytes of the file now. */
  size(): Promise<number>;
  /** Fills the buffer from this offset on. @returns how many bytes there were, fewer than asked for only at the file's end */
  read(buffer: Uint8Array, offset: number): Promise<number>;
  /** Writes the buffers one after another from this offset on. @returns how many bytes were written, perhaps fewer than there are */
  write(buffers: readonly Uint8Array[], offset: number): Promise<number>;
  truncate(bytes: number): Promise<void>;
  /** Resolves when what was written, and the file's size, outlive a power cut (fdatasync). */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** `read`: what is there. `update`: what is there, to write to. `create`: a new file, mode 0600, that must not be there yet. */
export type OpenMode = 'read' | 'update' | 'create';

/**
 * All that a journal does to its directory goes through this, so that tests can fill the disk, fail a sync or cut the power. Names are
 * relative to the directory, with `/` for what is in a folder of it.
 */
export interface Storage {
  /** The directory, for messages. */
  readonly path: string;
  /** The regular files directly in the directory, or in one of its folders; none when that is not there. In no order. */
  list(folder?: string): Promise<readonly StoredFile[]>;
  open(name: string, mode: OpenMode): Promise<StorageFile>;
  /** Puts a file under another name, in place of what has it. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file; nothing happens when it is not there. */
  remove(name: string): Promise<void>;
  /** Makes a folder, mode 0700, unless it is there. */
  makeFolder(name: string): Promise<void>;
  /** Resolves when names that were made, changed and removed outlive a power cut. */
  syncDirectory(folder?: string): Promise<void>;
}

/** Writes everything, in as many calls as that takes. @throws the platform's error; then any part may have been written */
export async function writeAll(
  file: StorageFile,
  buffers: readonly Uint8Array[],
  offset: number,
): Promise<void> {
  let rest = buffers.filter(({ length }) => length > 0);
  while (rest.length > 0) {
    let written = await file.write(rest, offset);
    if (written <= 0) throw Object.assign(new Error('nothing could be written'), { code: 'EIO' });
    offset += written;
    let done = 0;
    for (; done < rest.length && written >= rest[done]!.length; done++) written -= rest[done]!.length;
    rest = rest.slice(done);
    if (written > 0) rest[0] = rest[0]!.subarray(written);
  }
}

/** Reads a whole file, or its part from `from` on, up to `to`. @returns what there is of it */
export async function readAll(file: StorageFile, from = 0, to?: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(Math.max(0, (to ?? (await file.size())) - from));
  let length = 0;
  while (length < bytes.length) {
    const read = await file.read(bytes.subarray(length), from + length);
    if (read === 0) break;
    length += read;
  }
  return bytes.subarray(0, length);
}

/**
 * Makes a file that is there whole or not at all: written under `NAME.tmp`, synced, then renamed, and the directory synced.
 *
 * @throws the platform's error; then there is no such file, or the one that there was
 */
export async function writeWhole(
  storage: Storage,
  name: string,
  buffers: readonly Uint8Array[],
): Promise<void> {
  const draft = `${name}${draftSuffix}`;
  await storage.remove(draft);
  try {
    const file = await storage.open(draft, 'create');
    try {
      await writeAll(file, buffers, 0);
      await file.sync();
    } finally {
      await file.close();
    }
    await storage.rename(draft, name);
  } catch (error) {
    await storage.remove(draft).catch(() => undefined);
    throw error;
  }
  await storage.syncDirectory();
}

/** Ends the names of files that are not finished. */
export const draftSuffix = '.tmp';
