import type { Damage } from './damage.ts';
import { type DirectoryIdentity, newIdentity, readIdentity } from './directory-file.ts';
import { type DirectoryListing, listDirectory, type NamedFile } from './directory-listing.ts';
import { directoryFileName, termsFileName } from './file-names.ts';
import { readCheckpointHeader } from './read-checkpoint.ts';
import { readSegmentHeader } from './segment-file.ts';
import type { Storage } from './storage.ts';
import { readTerms, type Term, Terms } from './terms.ts';

/** What stands in a directory, told by its small files and by headers: whose it is, which openings there were, which files are its own. */
export interface DirectoryFiles extends DirectoryListing {
  readonly identity: DirectoryIdentity;
  /** Whether the identity has to be written: the directory is new, or its file is damaged. */
  readonly isIdentityWritten: boolean;
  readonly terms: Terms;
  readonly damages: readonly Damage[];
}

interface Header {
  readonly directoryId: Buffer;
  readonly term: Buffer;
  readonly bornMs: number;
  readonly createdMs: number;
  readonly position: number;
}

/**
 * Reads what a directory is. Where its small files are damaged, the headers of segments and checkpoints tell the same.
 *
 * @throws StreamgaugeError `config` for a directory of a newer version; the platform's error
 */
export async function readDirectoryFiles(storage: Storage, nowMs: number): Promise<DirectoryFiles> {
  const damages: Damage[] = [];
  const listing = await listDirectory(storage);
  const headers = await readHeaders(storage, listing);
  const read = await readIdentity(storage);
  const newest = [...headers.values()].sort((a, b) => b.createdMs - a.createdMs)[0];
  const identity =
    typeof read === 'object'
      ? read
      : newest === undefined
        ? newIdentity(nowMs)
        : { id: newest.directoryId, bornMs: newest.bornMs };
  if (typeof read === 'string' && (read !== 'missing' || newest !== undefined))
    damages.push(smallFileDamage(directoryFileName, read, newest === undefined));
  const isOurs = ({ name }: NamedFile): boolean =>
    headers.get(name)?.directoryId.equals(identity.id) !== false;
  for (const { name, bytes } of [...listing.segments, ...listing.checkpoints].filter((file) => !isOurs(file)))
    damages.push({
      kind: 'foreign',
      file: name,
      what: `it belongs to the data directory ${headers.get(name)!.directoryId.toString('hex')}`,
      bytes,
      position: undefined,
      losesAcknowledged: false,
      remedy: { action: 'move' },
    });
  const ours = [...headers.values()].filter(({ directoryId }) => directoryId.equals(identity.id));
  const { terms: listed, problem, isMissing } = await readTerms(storage);
  const terms = withTermsOf(listed, ours);
  if (isMissing ? ours.length > 0 : problem !== undefined)
    damages.push(smallFileDamage(termsFileName, problem ?? 'missing', false));
  else if (terms !== listed) damages.push(smallFileDamage(termsFileName, 'its end is missing', false));
  return {
    identity,
    isIdentityWritten: typeof read === 'object',
    terms,
    damages,
    segments: listing.segments.filter(isOurs),
    checkpoints: listing.checkpoints.filter(isOurs),
    drafts: listing.drafts,
  };
}

/** By the file's name; none for files whose header cannot be read. */
async function readHeaders(storage: Storage, listing: DirectoryListing): Promise<Map<string, Header>> {
  const headers = new Map<string, Header>();
  for (const { name } of listing.segments) {
    const header = await readSegmentHeader(storage, name);
    if (typeof header === 'object') headers.set(name, { ...header, position: header.firstPosition });
  }
  for (const { name } of listing.checkpoints) {
    const header = await readCheckpointHeader(storage, name);
    if (typeof header === 'object') headers.set(name, header);
  }
  return headers;
}

/** With those that only headers tell of: a term that wrote a segment began where its first one begins. The same when there are none. */
function withTermsOf(terms: Terms, headers: readonly Header[]): Terms {
  const all: Term[] = [...terms.all];
  const known = new Set(all.map(({ token }) => token.toString('hex')));
  for (const { term, position, createdMs } of [...headers].sort((a, b) => a.createdMs - b.createdMs)) {
    const hex = term.toString('hex');
    if (known.has(hex)) continue;
    known.add(hex);
    all.push({ token: term, from: position, openedMs: createdMs, afterLoss: false });
  }
  return all.length === terms.all.length ? terms : new Terms(all);
}

function smallFileDamage(file: string, problem: string, loses: boolean): Damage {
  const isMissing = problem === 'missing';
  return {
    kind: isMissing ? 'missing' : 'corrupt',
    file,
    what: isMissing ? 'it is not there' : problem,
    bytes: 0,
    position: undefined,
    losesAcknowledged: loses,
    remedy: { action: isMissing ? 'none' : 'replace' },
  };
}
