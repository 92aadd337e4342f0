import { readIdentity } from './directory-file.ts';
import { type DirectoryListing, listDirectory, type NamedFile } from './directory-listing.ts';
import { damagedFolder } from './file-names.ts';
import { readRecords } from './frame.ts';
import { checkCheckpoint } from './read-checkpoint.ts';
import { loadSegment } from './segment-file.ts';
import { SegmentFrames } from './segment-frames.ts';
import type { Storage, StoredFile } from './storage.ts';
import { readTerms, type Term } from './terms.ts';

/** What is in a data directory, read without changing anything, while it may be written to. */
export interface DirectoryInspection {
  /** In hexadecimal digits; `undefined` with the reason in `problems` where it cannot be read. */
  readonly directoryId: string | undefined;
  readonly bornMs: number | undefined;
  readonly terms: readonly Term[];
  readonly checkpoints: readonly InspectedCheckpoint[];
  readonly segments: readonly InspectedSegment[];
  /** Files put aside earlier. */
  readonly damaged: readonly StoredFile[];
  /** What is wrong with the small files. */
  readonly problems: readonly string[];
}

export interface InspectedCheckpoint extends NamedFile {
  /** Milliseconds since the Unix epoch. */
  readonly createdMs: number | undefined;
  readonly chunks: number | undefined;
  readonly problem: string | undefined;
}

export interface InspectedSegment extends NamedFile {
  /** Milliseconds since the Unix epoch. */
  readonly createdMs: number | undefined;
  readonly term: string | undefined;
  /** Behind its last record. */
  readonly endPosition: number;
  readonly commits: number;
  readonly records: number;
  /** Whether it ends with the frame of an orderly end. */
  readonly isEnded: boolean;
  readonly problem: string | undefined;
}

/** One record, as it is listed. */
export interface InspectedRecord {
  readonly segment: string;
  readonly type: number;
  readonly bytes: number;
  /** Behind it. */
  readonly position: number;
}

/**
 * Looks at a directory. Files that go while it looks are left out.
 *
 * @param onRecord told of every record, in order, if given
 * @throws the platform's error when the directory cannot be read
 */
export async function inspectDirectory(
  storage: Storage,
  onRecord?: (record: InspectedRecord) => void,
): Promise<DirectoryInspection> {
  const listing = await listDirectory(storage);
  const problems: string[] = [];
  const identity = await identityOf(storage, problems);
  const { terms, problem } = await readTerms(storage);
  if (problem !== undefined) problems.push(`terms: ${problem}`);
  return {
    directoryId: identity?.id,
    bornMs: identity?.bornMs,
    terms: terms.all,
    checkpoints: await inspectCheckpoints(storage, listing),
    segments: await inspectSegments(storage, listing, onRecord),
    damaged: [...(await storage.list(damagedFolder))].sort((a, b) => (a.name < b.name ? -1 : 1)),
    problems,
  };
}

async function identityOf(
  storage: Storage,
  problems: string[],
): Promise<{ id: string; bornMs: number } | undefined> {
  let found: Awaited<ReturnType<typeof readIdentity>>;
  try {
    found = await readIdentity(storage);
  } catch (error) {
    // A newer version's.
    found = (error as Error).message;
  }
  if (typeof found === 'object') return { id: found.id.toString('hex'), bornMs: found.bornMs };
  problems.push(`directory.json: ${found === 'missing' ? 'it is not there' : found}`);
  return undefined;
}

async function inspectCheckpoints(
  storage: Storage,
  { checkpoints }: DirectoryListing,
): Promise<InspectedCheckpoint[]> {
  const inspected: InspectedCheckpoint[] = [];
  for (const file of checkpoints) {
    const checked = await unlessGone(checkCheckpoint(storage, file.name));
    if (checked === undefined) continue;
    if (typeof checked === 'string')
      inspected.push({ ...file, createdMs: undefined, chunks: undefined, problem: checked });
    else
      inspected.push({
        ...file,
        createdMs: checked.header.createdMs,
        chunks: checked.footer.chunks,
        problem: undefined,
      });
  }
  return inspected;
}

async function inspectSegments(
  storage: Storage,
  { segments }: DirectoryListing,
  onRecord: ((record: InspectedRecord) => void) | undefined,
): Promise<InspectedSegment[]> {
  const inspected: InspectedSegment[] = [];
  for (const [index, file] of segments.entries()) {
    const one = await unlessGone(inspectSegment(storage, file, segments[index + 1], onRecord));
    if (one === undefined) continue;
    const before = inspected.at(-1);
    const isGap =
      before !== undefined && before.problem === undefined && before.endPosition !== file.position;
    const gap = `the segment before it ends at position ${before?.endPosition}`;
    inspected.push(isGap && one.problem === undefined ? { ...one, problem: gap } : one);
  }
  return inspected;
}

async function inspectSegment(
  storage: Storage,
  file: NamedFile,
  next: NamedFile | undefined,
  onRecord: ((record: InspectedRecord) => void) | undefined,
): Promise<InspectedSegment> {
  const loaded = await loadSegment(storage, file);
  const none = { endPosition: file.position, commits: 0, records: 0, isEnded: false };
  if (typeof loaded === 'string')
    return { ...file, ...none, createdMs: undefined, term: undefined, problem: loaded };
  const { header, bytes } = loaded;
  const frames = new SegmentFrames(bytes, header);
  let { commits, records, isEnded } = none;
  let problem: string | undefined;
  while (next === undefined || frames.position <= next.position) {
    const { position } = frames;
    const frame = frames.next();
    if (typeof frame === 'string') {
      if (frame !== 'end' && (next === undefined || position < next.position))
        problem = `${bytes.length - frames.offset} bytes from offset ${frames.offset} on are no whole commit`;
      break;
    }
    isEnded = frame.bodyBytes === 0;
    if (!isEnded) commits++;
    for (const record of readRecords(frame.body, position) ?? []) {
      records++;
      const { type, position: end } = record;
      onRecord?.({ segment: file.name, type, bytes: record.bytes.length, position: end });
    }
  }
  const { createdMs, term } = header;
  const figures = { createdMs, term: term.toString('hex'), endPosition: frames.position };
  return { ...file, bytes: bytes.length, ...figures, commits, records, isEnded, problem };
}

async function unlessGone<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
