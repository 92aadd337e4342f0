import { crc32 } from 'node:zlib';
import { StreamgaugeError } from '../../proto/error.ts';
import {
  type CheckpointChunk,
  type CheckpointHeader,
  checkpointHeaderBytes,
  encodeCheckpointHeader,
  encodeChunkHeader,
  encodeFooter,
  footerBytes,
  maxChunkBytes,
} from './checkpoint-format.ts';
import { fileName } from './file-names.ts';
import { draftSuffix, type Storage, type StorageFile, writeAll } from './storage.ts';

/** So much is gathered for one write. */
const writeBytes = 1024 * 1024;
/** So much is written between two syncs: one sync of everything would hold up the journal's commits on the same disk. */
const syncBytes = 16 * 2 ** 20;

export interface CheckpointFigures {
  readonly name: string;
  readonly position: number;
  readonly chunks: number;
  readonly bytes: number;
  readonly durationMs: number;
}

/**
 * Writes a checkpoint under a temporary name and syncs it; then calls `ready`, gives it its name, and syncs the directory. The bytes of a chunk
 * are copied before the next one is asked for.
 *
 * @throws what `chunks` or `ready` throw, the platform's error, or StreamgaugeError `bug` for a chunk beyond its limits. Then there is no such checkpoint.
 */
export async function writeCheckpoint(
  storage: Storage,
  header: CheckpointHeader,
  chunks: AsyncIterable<CheckpointChunk> | Iterable<CheckpointChunk>,
  ready: () => Promise<void>,
): Promise<CheckpointFigures> {
  const beganMs = performance.now();
  const name = fileName('checkpoint', header.position);
  const draft = `${name}${draftSuffix}`;
  await storage.remove(draft);
  try {
    const file = await storage.open(draft, 'create');
    const output = new CheckpointOutput(file, encodeCheckpointHeader(header));
    try {
      for await (const chunk of chunks) await output.add(chunk);
      await output.end();
    } finally {
      await file.close();
    }
    await ready();
    await storage.rename(draft, name);
    await storage.syncDirectory();
    return {
      name,
      position: header.position,
      chunks: output.chunks,
      bytes: output.bytes,
      durationMs: performance.now() - beganMs,
    };
  } catch (error) {
    await storage.remove(draft).catch(() => undefined);
    throw error;
  }
}

class CheckpointOutput {
  readonly #file: StorageFile;
  readonly #gathered = Buffer.allocUnsafeSlow(writeBytes);
  #length = 0;
  #offset = 0;
  #unsynced = 0;
  #checksum = 0;
  #chunks = 0;

  constructor(file: StorageFile, header: Buffer) {
    this.#file = file;
    header.copy(this.#gathered);
    this.#length = checkpointHeaderBytes;
    this.#checksum = crc32(header);
  }

  get chunks(): number {
    return this.#chunks;
  }

  get bytes(): number {
    return this.#offset + this.#length;
  }

  async add(chunk: CheckpointChunk): Promise<void> {
    const { type, key, bytes } = chunk;
    if (bytes.length > maxChunkBytes || !isUint(type, 2 ** 32) || !isUint(key, 2 ** 53))
      throw new StreamgaugeError(
        'bug',
        `a checkpoint's chunk of type ${type}, key ${key}, ${bytes.length} bytes: a type has 32 bits, a key 53, and there are at most ${maxChunkBytes} bytes`,
      );
    const header = encodeChunkHeader(chunk);
    this.#checksum = crc32(bytes, crc32(header, this.#checksum));
    this.#chunks++;
    await this.#put(header);
    await this.#put(bytes);
  }

  async end(): Promise<void> {
    const footer = { checksum: this.#checksum, chunks: this.#chunks, bytes: this.bytes + footerBytes };
    await this.#put(encodeFooter(footer));
    await this.#flush();
    await this.#file.sync();
  }

  async #put(bytes: Uint8Array): Promise<void> {
    if (bytes.length > writeBytes) {
      await this.#flush();
      await this.#write(bytes);
      return;
    }
    if (this.#length + bytes.length > writeBytes) await this.#flush();
    this.#gathered.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  async #flush(): Promise<void> {
    const bytes = this.#gathered.subarray(0, this.#length);
    this.#length = 0;
    await this.#write(bytes);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    await writeAll(this.#file, [bytes], this.#offset);
    this.#offset += bytes.length;
    this.#unsynced += bytes.length;
    if (this.#unsynced < syncBytes) return;
    this.#unsynced = 0;
    await this.#file.sync();
  }
}

function isUint(value: number, end: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value < end;
}
