import { isDraft, parseFileName } from './file-names.ts';
import type { Storage } from './storage.ts';

/** A segment or checkpoint, by its name. */
export interface NamedFile {
  readonly name: string;
  readonly position: number;
  readonly bytes: number;
  /** Milliseconds since the Unix epoch. */
  readonly modifiedMs: number;
}

export interface DirectoryListing {
  /** By ascending position. */
  readonly segments: readonly NamedFile[];
  readonly checkpoints: readonly NamedFile[];
  /** Names of ours that are not finished. */
  readonly drafts: readonly string[];
}

/** What a data directory holds of ours. @throws the platform's error */
export async function listDirectory(storage: Storage): Promise<DirectoryListing> {
  const segments: NamedFile[] = [];
  const checkpoints: NamedFile[] = [];
  const drafts: string[] = [];
  for (const { name, bytes, modifiedMs } of await storage.list()) {
    if (isDraft(name)) drafts.push(name);
    const parsed = parseFileName(name);
    if (parsed === undefined) continue;
    const { kind, position } = parsed;
    (kind === 'segment' ? segments : checkpoints).push({ name, position, bytes, modifiedMs });
  }
  const byPosition = (a: NamedFile, b: NamedFile): number => a.position - b.position;
  return { segments: segments.sort(byPosition), checkpoints: checkpoints.sort(byPosition), drafts };
}
