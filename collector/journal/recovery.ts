import { randomBytes } from 'node:crypto';
import type { CheckpointChunk, CheckpointHeader } from './checkpoint-format.ts';
import type { Damage } from './damage.ts';
import { writeIdentity } from './directory-file.ts';
import { type DirectoryFiles, readDirectoryFiles } from './directory-files.ts';
import type { NamedFile } from './directory-listing.ts';
import { DurableState } from './durable-state.ts';
import { termsFileName } from './file-names.ts';
import type { JournalRecord } from './frame.ts';
import type { JournalLog } from './journal-log.ts';
import type { JournalOptions } from './journal-options.ts';
import { applyRemedies, keepReplaced } from './move-damaged.ts';
import { type CheckedCheckpoint, checkCheckpoint, readChunks } from './read-checkpoint.ts';
import { Replay, type UnusableRecord } from './replay.ts';
import type { Storage } from './storage.ts';
import { storageError } from './storage-error.ts';
import type { Term } from './terms.ts';

/** What was found when the directory was opened. */
export interface RecoveryReport {
  /** The checkpoint that was read; `undefined` when there is none. */
  readonly checkpoint: (CheckpointHeader & { readonly chunks: number; readonly bytes: number }) | undefined;
  /** Records behind it that were read. */
  readonly records: number;
  /** Where the journal goes on. */
  readonly position: number;
  readonly damages: readonly Damage[];
  /** Whether something that was acknowledged is found to be gone, now or at an opening since the checkpoint. */
  readonly losesAcknowledged: boolean;
  /**
   * The openings, this one among them, that found so since the checkpoint was written, each by its own token: what was done about one of
   * them, and is in a record, need not be done again. A checkpoint written in the term of a loss settles it.
   */
  readonly losses: readonly Term[];
}

export interface RecoveryOptions {
  readonly log: JournalLog;
  /** Milliseconds since the Unix epoch. */
  readonly nowMs?: number;
  /** Called when the state is closed: lets the directory go. */
  readonly onClose?: () => Promise<void>;
}

/**
 * The opening of a data directory: first {@link chunks}, then {@link records}, both in order and whole, then {@link begin}. Nothing in the
 * directory is changed before `begin`.
 */
export class Recovery {
  readonly #storage: Storage;
  readonly #files: DirectoryFiles;
  readonly #options: RecoveryOptions;
  readonly #nowMs: number;
  readonly #checkpoint: CheckedCheckpoint | undefined;
  readonly #badCheckpoints: readonly { file: NamedFile; what: string }[];
  readonly #replay: Replay;
  readonly #frames: AsyncGenerator<readonly JournalRecord[]>;

  private constructor(
    storage: Storage,
    files: DirectoryFiles,
    options: RecoveryOptions,
    nowMs: number,
    checkpoints: ChosenCheckpoint,
    unusable?: UnusableRecord,
  ) {
    this.#storage = storage;
    this.#files = files;
    this.#options = options;
    this.#nowMs = nowMs;
    this.#checkpoint = checkpoints.good;
    this.#badCheckpoints = checkpoints.bad;
    const from = checkpoints.good?.header.position ?? 0;
    this.#replay = new Replay(storage, files.segments, from, unusable);
    this.#frames = this.#replay.frames();
  }

  /** @throws StreamgaugeError when the directory cannot be read, or is of a newer version */
  static start(storage: Storage, options: RecoveryOptions): Promise<Recovery> {
    return Recovery.#read(storage, options);
  }

  static async #read(
    storage: Storage,
    options: RecoveryOptions,
    unusable?: UnusableRecord,
  ): Promise<Recovery> {
    const nowMs = options.nowMs ?? Date.now();
    try {
      const files = await readDirectoryFiles(storage, nowMs);
      const checkpoints = await chooseCheckpoint(storage, files.checkpoints);
      return new Recovery(storage, files, options, nowMs, checkpoints, unusable);
    } catch (error) {
      throw storageError(storage.path, 'read', error);
    }
  }

  /**
   * The opening from its beginning on, in place of this one: the journal ends before the commit with this record, which is whole and cannot be applied.
   * @throws StreamgaugeError when the directory cannot be read
   */
  async again(unusable: UnusableRecord): Promise<Recovery> {
    await this.#frames.return(undefined);
    return Recovery.#read(this.#storage, this.#options, unusable);
  }

  /** The newest checkpoint that is good. */
  get checkpoint(): CheckpointHeader | undefined {
    return this.#checkpoint?.header;
  }

  /** 16 bytes. */
  get directoryId(): Buffer {
    return this.#files.identity.id;
  }

  /** Its chunks; none when there is no checkpoint. @throws StreamgaugeError when the file cannot be read, or changed since it was checked */
  async *chunks(): AsyncGenerator<CheckpointChunk> {
    if (this.#checkpoint === undefined) return;
    try {
      yield* readChunks(this.#storage, this.#checkpoint);
    } catch (error) {
      throw storageError(this.#storage.path, 'read the checkpoint', error);
    }
  }

  /** The records behind the checkpoint, once. @throws StreamgaugeError when a file cannot be read */
  async *records(): AsyncGenerator<JournalRecord> {
    for (;;) {
      const frame = await this.#nextFrame();
      if (frame === undefined) return;
      yield* frame;
    }
  }

  /** As {@link records}, by commits: several times faster. */
  async *commits(): AsyncGenerator<readonly JournalRecord[]> {
    for (let frame = await this.#nextFrame(); frame !== undefined; frame = await this.#nextFrame())
      yield frame;
  }

  /**
   * Begins a term: puts aside what is damaged, removes what the checkpoint covers, and gives the state to write to. Records that were not read
   * are passed over.
   *
   * @throws StreamgaugeError `unavailable` when the directory cannot be written to
   */
  async begin(options: JournalOptions = {}): Promise<{ state: DurableState; report: RecoveryReport }> {
    while ((await this.#nextFrame()) !== undefined);
    const { identity, terms } = this.#files;
    const { position, previous } = this.#replay;
    const damages = this.#damages();
    const loses = damages.some(({ losesAcknowledged }) => losesAcknowledged);
    const token = randomBytes(8);
    try {
      // Before anything is moved: who is killed in between finds the same again, or the loss in the list of terms.
      await keepReplaced(this.#storage, damages, this.#nowMs);
      if (!this.#files.isIdentityWritten) await writeIdentity(this.#storage, identity);
      await terms.add(this.#storage, { token, from: position, openedMs: this.#nowMs, afterLoss: loses });
      await applyRemedies(this.#storage, damages, this.#nowMs);
      await this.#removeObsolete(damages);
    } catch (error) {
      throw storageError(this.#storage.path, 'begin to write', error);
    }
    const report = this.#report(damages);
    this.#logDamages(damages);
    const place = { storage: this.#storage, directoryId: identity.id, term: token, bornMs: identity.bornMs };
    const { log, onClose } = this.#options;
    const state = new DurableState({ ...place, position, previous }, terms, options, log, onClose);
    return { state, report };
  }

  /** Lets the directory go without beginning. */
  async abandon(): Promise<void> {
    await this.#frames.return(undefined);
    await this.#options.onClose?.();
  }

  async #nextFrame(): Promise<readonly JournalRecord[] | undefined> {
    try {
      const { value, done } = await this.#frames.next();
      return done === true ? undefined : value;
    } catch (error) {
      throw storageError(this.#storage.path, 'read the journal', error);
    }
  }

  #damages(): Damage[] {
    const { position } = this.#replay;
    const damages: Damage[] = [...this.#files.damages];
    for (const { file, what } of this.#badCheckpoints)
      damages.push({
        kind: 'corrupt',
        file: file.name,
        what,
        bytes: file.bytes,
        position: file.position,
        // All that it held is in the checkpoint before it and the journal, if that reaches so far.
        losesAcknowledged: file.position > position,
        remedy: { action: 'move' },
      });
    damages.push(...this.#replay.damages);
    const before = this.#files.terms.last;
    if (before !== undefined && before.from > position)
      damages.push({
        kind: 'missing',
        file: termsFileName,
        what: `the journal ends at position ${position}; when it was last opened it stood at ${before.from}`,
        bytes: 0,
        position,
        losesAcknowledged: true,
        remedy: { action: 'none' },
      });
    return damages;
  }

  #report(damages: readonly Damage[]): RecoveryReport {
    const { all } = this.#files.terms;
    const settled = all.findLastIndex(({ token }) => this.#checkpoint?.header.term.equals(token) === true);
    const losses = all.slice(settled + 1).filter(({ afterLoss }) => afterLoss);
    const { records, position } = this.#replay;
    const { header, footer } = this.#checkpoint ?? {};
    const checkpoint =
      header === undefined ? undefined : { ...header, chunks: footer!.chunks, bytes: footer!.bytes };
    return { checkpoint, records, position, damages, losesAcknowledged: losses.length > 0, losses };
  }

  /** What is left when a file cannot be removed costs space and is removed another time. */
  async #removeObsolete(damages: readonly Damage[]): Promise<void> {
    const moved = new Set(damages.filter(({ remedy }) => remedy.action === 'move').map(({ file }) => file));
    const older = this.#files.checkpoints.filter(({ name }) => name !== this.#checkpoint?.name);
    const names = [...older, ...this.#replay.covered]
      .map(({ name }) => name)
      .filter((name) => !moved.has(name));
    for (const name of [...names, ...this.#files.drafts])
      await this.#storage.remove(name).catch((error: unknown) => {
        this.#options.log.warn(
          { err: error, file: name },
          'a file that is no longer needed cannot be removed',
        );
      });
  }

  #logDamages(damages: readonly Damage[]): void {
    const { log } = this.#options;
    for (const { kind, file, what, bytes, position, losesAcknowledged, remedy } of damages) {
      const fields = { directory: this.#storage.path, file, bytes, position, losesAcknowledged };
      const done = {
        none: '',
        cut: '; it was cut off',
        move: '; it was moved to the folder damaged',
        replace: '; it was written anew',
      }[remedy.action];
      if (kind === 'torn') log.warn(fields, `the journal's last commit was not whole: ${what}${done}`);
      else log.error(fields, `${file} cannot be used as it is: ${what}${done}`);
    }
  }
}

interface ChosenCheckpoint {
  readonly good: CheckedCheckpoint | undefined;
  readonly bad: readonly { file: NamedFile; what: string }[];
}

async function chooseCheckpoint(storage: Storage, files: readonly NamedFile[]): Promise<ChosenCheckpoint> {
  const bad: { file: NamedFile; what: string }[] = [];
  for (const file of files.toReversed()) {
    const checked = await checkCheckpoint(storage, file.name);
    if (typeof checked === 'object' && checked.header.position === file.position)
      return { good: checked, bad };
    const what = typeof checked === 'string' ? checked : `it is of position ${checked.header.position}`;
    bad.push({ file, what });
  }
  return { good: undefined, bad };
}
