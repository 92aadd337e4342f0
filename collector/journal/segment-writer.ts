import { randomBytes } from 'node:crypto';
import { fileName } from './file-names.ts';
import { encodeSegmentHeader, type SegmentHeader, segmentHeaderBytes } from './segment-header.ts';
import { type Storage, type StorageFile, writeAll, writeWhole } from './storage.ts';

/** The segment that is written to. It knows where its good bytes end; what a failed write left behind that is written over. */
export class SegmentWriter {
  readonly name: string;
  readonly salt: number;
  readonly #file: StorageFile;
  #bytes = segmentHeaderBytes;
  #unsynced = false;

  private constructor(name: string, salt: number, file: StorageFile) {
    this.name = name;
    this.salt = salt;
    this.#file = file;
  }

  /**
   * Makes a segment, whose header and name outlive a power cut. One of the same name holds no record: it is replaced.
   *
   * @throws the platform's error
   */
  static async create(storage: Storage, header: Omit<SegmentHeader, 'salt'>): Promise<SegmentWriter> {
    const salt = randomBytes(4).readUInt32LE();
    const name = fileName('segment', header.firstPosition);
    await writeWhole(storage, name, [encodeSegmentHeader({ ...header, salt })]);
    return new SegmentWriter(name, salt, await storage.open(name, 'update'));
  }

  /** Bytes of the file that hold. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @throws the platform's error; then nothing was added, and the same can be tried again */
  async append(frames: readonly Buffer[], bytes: number, syncs: boolean): Promise<void> {
    await writeAll(this.#file, frames, this.#bytes);
    if (syncs) await this.#file.sync();
    else this.#unsynced = true;
    this.#bytes += bytes;
  }

  /** Syncs what was appended without. @throws the platform's error */
  async sync(): Promise<void> {
    if (!this.#unsynced) return;
    this.#unsynced = false;
    try {
      await this.#file.sync();
    } catch (error) {
      this.#unsynced = true;
      throw error;
    }
  }

  /** No more is appended. @throws the platform's error; the file is closed all the same */
  async finish(): Promise<void> {
    try {
      await this.sync();
    } finally {
      await this.#file.close();
    }
  }

  /** After an error of the disk: another segment goes on from here. What it holds beyond its good bytes is cut off, if that is possible. */
  async abandon(): Promise<void> {
    await this.#file.truncate(this.#bytes).catch(() => undefined);
    await this.#file.close().catch(() => undefined);
  }
}
