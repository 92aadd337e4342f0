import { crc32 } from 'node:zlib';
import { StreamgaugeError } from '../../proto/error.ts';
import {
  type CheckpointChunk,
  type CheckpointFooter,
  type CheckpointHeader,
  checkpointHeaderBytes,
  chunkChecksum,
  chunkHeaderBytes,
  decodeCheckpointHeader,
  decodeChunkHeader,
  decodeFooter,
  footerBytes,
} from './checkpoint-format.ts';
import { readAll, type Storage, type StorageFile } from './storage.ts';

const windowBytes = 1024 * 1024;

export interface CheckedCheckpoint {
  readonly name: string;
  readonly header: CheckpointHeader;
  readonly footer: CheckpointFooter;
}

/** Reads a whole checkpoint and compares its checksum. @returns what it is, or in words what is wrong with it @throws the platform's error */
export async function checkCheckpoint(storage: Storage, name: string): Promise<CheckedCheckpoint | string> {
  const file = await storage.open(name, 'read');
  try {
    const bytes = await file.size();
    const header = decodeCheckpointHeader(await readAll(file, 0, Math.min(bytes, checkpointHeaderBytes)));
    if (typeof header === 'string') return header;
    const end = bytes - footerBytes;
    const footer = decodeFooter(await readAll(file, Math.max(0, end), bytes));
    if (footer === undefined || end < checkpointHeaderBytes) return 'it does not end with its footer';
    if (footer.bytes !== bytes) return `it has ${bytes} bytes, and ${footer.bytes} by its footer`;
    if ((await checksumOf(file, end)) !== footer.checksum) return 'its checksum is wrong';
    return { name, header, footer };
  } finally {
    await file.close();
  }
}

/** Only the header of a checkpoint, for who it belongs to. */
export async function readCheckpointHeader(
  storage: Storage,
  name: string,
): Promise<CheckpointHeader | string> {
  const file = await storage.open(name, 'read');
  try {
    return decodeCheckpointHeader(await readAll(file, 0, checkpointHeaderBytes));
  } finally {
    await file.close();
  }
}

async function checksumOf(file: StorageFile, end: number): Promise<number> {
  const window = Buffer.allocUnsafeSlow(windowBytes);
  let checksum = 0;
  for (let at = 0; at < end; ) {
    const read = await file.read(window.subarray(0, Math.min(windowBytes, end - at)), at);
    if (read === 0) return -1;
    checksum = crc32(window.subarray(0, read), checksum);
    at += read;
  }
  return checksum;
}

/**
 * The chunks of a checkpoint that was checked, in the order in which they were written. The bytes of a chunk stay the caller's.
 *
 * @throws StreamgaugeError `invalid_data` when the file has changed since it was checked; the platform's error
 */
export async function* readChunks(
  storage: Storage,
  checked: CheckedCheckpoint,
): AsyncGenerator<CheckpointChunk> {
  const end = checked.footer.bytes - footerBytes;
  const file = await storage.open(checked.name, 'read');
  try {
    let window: Buffer = Buffer.alloc(0);
    let windowAt = checkpointHeaderBytes;
    for (let at = checkpointHeaderBytes; at < end; ) {
      const windowEnd = windowAt + window.length;
      let header = decodeChunkHeader(window.subarray(at - windowAt));
      if (windowEnd < end && (header === undefined || at + chunkHeaderBytes + header.length > windowEnd)) {
        const wanted = chunkHeaderBytes + (header?.length ?? 0);
        windowAt = at;
        // A new one each time, since the chunks given out point into it.
        window = await readAll(file, at, Math.min(end, at + Math.max(windowBytes, wanted)));
        header = decodeChunkHeader(window);
        if (
          header !== undefined &&
          chunkHeaderBytes + header.length > window.length &&
          window.length < end - at
        )
          window = await readAll(file, at, Math.min(end, at + chunkHeaderBytes + header.length));
      }
      const chunk = window.subarray(at - windowAt);
      const bytes = chunk.subarray(chunkHeaderBytes, chunkHeaderBytes + (header?.length ?? 0));
      if (
        header === undefined ||
        bytes.length < header.length ||
        chunkChecksum(chunk, bytes) !== header.checksum
      )
        throw new StreamgaugeError(
          'invalid_data',
          `${checked.name} in ${storage.path} changed while it was read, at offset ${at}: start again`,
        );
      yield { type: header.type, key: header.key, bytes };
      at += chunkHeaderBytes + header.length;
    }
  } finally {
    await file.close();
  }
}
