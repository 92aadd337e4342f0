import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { StreamgaugeError } from '../../proto/error.ts';
import { directoryFileName } from './file-names.ts';
import { formatVersion } from './segment-header.ts';
import { readAll, type Storage, writeWhole } from './storage.ts';

/** What a data directory is, made once. */
export interface DirectoryIdentity {
  /** 16 random bytes. */
  readonly id: Buffer;
  /** When it was made, milliseconds since the Unix epoch. */
  readonly bornMs: number;
}

const title = 'streamgauge data directory';
const maxBytes = 4096;

/**
 * The identity that the directory's file tells; `missing` when there is none, else in words what is wrong with it.
 *
 * @throws StreamgaugeError `config` when a newer version of this program made the directory
 */
export async function readIdentity(storage: Storage): Promise<DirectoryIdentity | 'missing' | string> {
  let bytes: Buffer;
  try {
    const file = await storage.open(directoryFileName, 'read');
    try {
      bytes = await readAll(file, 0, maxBytes);
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'missing';
    throw error;
  }
  let found: { format?: unknown; version?: unknown; id?: unknown; born?: unknown; checksum?: unknown };
  try {
    found = JSON.parse(bytes.toString('utf8')) ?? {};
  } catch {
    return 'it is no JSON';
  }
  const { format, version, id, born, checksum } = found;
  if (format !== title || typeof version !== 'number') return 'it is not of a data directory';
  if (typeof id !== 'string' || typeof born !== 'string' || checksum !== checksumOf(version, id, born))
    return 'its checksum is wrong';
  if (version > formatVersion)
    throw new StreamgaugeError(
      'config',
      `the data directory ${storage.path} has format version ${version}, and this program reads ${formatVersion}: run the version that made it or a newer one, or choose another directory with --data-dir`,
    );
  return { id: Buffer.from(id, 'hex'), bornMs: Date.parse(born) };
}

export function newIdentity(nowMs: number): DirectoryIdentity {
  return { id: randomBytes(16), bornMs: nowMs };
}

/** @throws the platform's error */
export async function writeIdentity(storage: Storage, { id, bornMs }: DirectoryIdentity): Promise<void> {
  const born = new Date(bornMs).toISOString();
  const hex = id.toString('hex');
  const checksum = checksumOf(formatVersion, hex, born);
  const text = JSON.stringify(
    { format: title, version: formatVersion, id: hex, born, checksum },
    undefined,
    2,
  );
  await writeWhole(storage, directoryFileName, [Buffer.from(`${text}\n`)]);
}

/** The same in every version, so that a newer one is told from a damaged file. */
function checksumOf(version: number, id: string, born: string): string {
  return crc32(`${version} ${id} ${born}`).toString(16).padStart(8, '0');
}
