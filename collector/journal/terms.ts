import { crc32 } from 'node:zlib';
import { termsFileName } from './file-names.ts';
import { readUint53, writeUint53 } from './fixed-numbers.ts';
import { readAll, type Storage, writeWhole } from './storage.ts';

/** One opening of the data directory. */
export interface Term {
  /** 8 random bytes. */
  readonly token: Buffer;
  /** Where the journal stood when it was opened. It is the end of the term before. */
  readonly from: number;
  /** Milliseconds since the Unix epoch. */
  readonly openedMs: number;
  /** Whether acknowledged data was found to be lost then. */
  readonly afterLoss: boolean;
}

/** What a position that somebody was told once says now. */
export type PositionVerdict = 'held' | 'unknown_term' | 'beyond_end';

/*
 * The file holds one entry of 32 bytes for each opening: token, position, time, flags (4 bytes: 1 is `afterLoss`), and the CRC-32 of these
 * 28, started from the checksum of the entry before.
 */
const entryBytes = 32;

/** So many openings are remembered, the latest; one a second for half a day. */
const maxTerms = 65_536;

/** Every opening of the directory, in order. */
export class Terms {
  readonly #terms: Term[];
  readonly #byToken = new Map<string, number>();

  constructor(terms: readonly Term[]) {
    this.#terms = [...terms];
    for (const [index, { token }] of this.#terms.entries()) this.#byToken.set(token.toString('hex'), index);
  }

  get all(): readonly Term[] {
    return this.#terms;
  }

  get last(): Term | undefined {
    return this.#terms.at(-1);
  }

  /**
   * Whether the journal holds what an Ack of this directory told. `unknown_term` and `beyond_end` prove that acknowledged data was lost: a damaged
   * disk, a backup restored. A position in the last term is held as far as this goes: where it ends is not known yet.
   */
  verdict(token: Uint8Array, position: number): PositionVerdict {
    const index = this.#byToken.get(Buffer.from(token).toString('hex'));
    if (index === undefined) return 'unknown_term';
    // After a loss, later terms begin further back.
    for (let later = index + 1; later < this.#terms.length; later++)
      if (position > this.#terms[later]!.from) return 'beyond_end';
    return 'held';
  }

  /** Adds an opening and writes the file anew. @throws the platform's error */
  async add(storage: Storage, term: Term): Promise<void> {
    const kept = [...this.#terms, term].slice(-maxTerms);
    await writeWhole(storage, termsFileName, [encodeTerms(kept)]);
    this.#byToken.set(term.token.toString('hex'), this.#terms.push(term) - 1);
  }
}

/** The terms that the file holds, and in words what is wrong with it: then they are those before the damage. */
export async function readTerms(
  storage: Storage,
): Promise<{ terms: Terms; problem: string | undefined; isMissing: boolean }> {
  let bytes: Buffer;
  try {
    const file = await storage.open(termsFileName, 'read');
    try {
      bytes = await readAll(file, 0, Math.min(await file.size(), maxTerms * entryBytes));
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return { terms: new Terms([]), problem: undefined, isMissing: true };
  }
  const terms: Term[] = [];
  let checksum = 0;
  for (let at = 0; at + entryBytes <= bytes.length; at += entryBytes) {
    const next = crc32(bytes.subarray(at, at + 28), checksum);
    if (next !== bytes.readUInt32LE(at + 28)) break;
    checksum = next;
    terms.push({
      token: Buffer.from(bytes.subarray(at, at + 8)),
      from: readUint53(bytes, at + 8),
      openedMs: readUint53(bytes, at + 16),
      afterLoss: (bytes.readUInt32LE(at + 24) & 1) === 1,
    });
  }
  const read = terms.length * entryBytes;
  const problem =
    read === bytes.length && read > 0
      ? undefined
      : `${terms.length} of its entries can be read, then ${bytes.length - read} bytes cannot`;
  return { terms: new Terms(terms), problem, isMissing: false };
}

function encodeTerms(terms: readonly Term[]): Buffer {
  const bytes = Buffer.alloc(terms.length * entryBytes);
  let checksum = 0;
  for (const [index, { token, from, openedMs, afterLoss }] of terms.entries()) {
    const at = index * entryBytes;
    token.copy(bytes, at);
    writeUint53(bytes, from, at + 8);
    writeUint53(bytes, openedMs, at + 16);
    bytes.writeUInt32LE(afterLoss ? 1 : 0, at + 24);
    checksum = crc32(bytes.subarray(at, at + 28), checksum);
    bytes.writeUInt32LE(checksum, at + 28);
  }
  return bytes;
}
