import { setTimeout as delay } from 'node:timers/promises';
import { StreamgaugeError } from '../../proto/error.ts';
import type { CheckpointChunk } from './checkpoint-format.ts';
import { listDirectory } from './directory-listing.ts';
import { Journal } from './journal.ts';
import type { JournalLog } from './journal-log.ts';
import type { JournalOptions } from './journal-options.ts';
import type { JournalPlace } from './journal-place.ts';
import type { CloseResult } from './journal-status.ts';
import { storageError } from './storage-error.ts';
import type { Terms } from './terms.ts';
import { type CheckpointFigures, writeCheckpoint } from './write-checkpoint.ts';

/** A data directory that is open for writing: its journal, and checkpoints that cover it. */
export class DurableState {
  readonly journal: Journal;
  /** All openings, this one last. */
  readonly terms: Terms;
  readonly #place: JournalPlace;
  readonly #log: JournalLog;
  readonly #onClose: (() => Promise<void>) | undefined;
  readonly #closing = new AbortController();
  #checkpointing: Promise<unknown> | undefined;

  constructor(
    place: JournalPlace,
    terms: Terms,
    options: JournalOptions,
    log: JournalLog,
    onClose?: () => Promise<void>,
  ) {
    this.journal = new Journal(place, options, log);
    this.terms = terms;
    this.#place = place;
    this.#log = log;
    this.#onClose = onClose;
  }

  get path(): string {
    return this.#place.storage.path;
  }

  /** 16 bytes. */
  get directoryId(): Buffer {
    return this.#place.directoryId;
  }

  /** 8 bytes. */
  get term(): Buffer {
    return this.#place.term;
  }

  /** When the directory was made, milliseconds since the Unix epoch. */
  get bornMs(): number {
    return this.#place.bornMs;
  }

  /**
   * Writes a checkpoint that holds the effect of all records up to `position` and of none behind it. The bytes of a chunk are copied
   * before the next one is asked for, so the chunks may be made between turns of the event loop. It counts once it and the journal up to its position are on the disk:
   * then the checkpoint before it, and the segments that it covers, are removed.
   *
   * @param position one that `append` returned, or where the journal began
   * @throws what `chunks` throws; StreamgaugeError `unavailable` when it cannot be written, `cancelled` when the signal is aborted
   * or the state closed meanwhile, `bug` when another one is being written. The checkpoint before then still holds.
   */
  async writeCheckpoint(
    position: number,
    chunks: AsyncIterable<CheckpointChunk> | Iterable<CheckpointChunk>,
    signal?: AbortSignal,
  ): Promise<CheckpointFigures> {
    if (this.#checkpointing !== undefined)
      throw new StreamgaugeError('bug', 'a checkpoint is being written already');
    const signals = [this.#closing.signal, ...(signal === undefined ? [] : [signal])];
    const written = this.#writeCheckpoint(position, chunks, AbortSignal.any(signals));
    this.#checkpointing = written.catch(() => undefined);
    try {
      return await written;
    } finally {
      this.#checkpointing = undefined;
    }
  }

  /** Commits what is pending and lets the directory go; see {@link Journal.close}. A checkpoint that is under way is given up. Safe to repeat. */
  async close(deadlineMs = 10_000): Promise<CloseResult> {
    this.#closing.abort();
    const beganMs = performance.now();
    const over = new AbortController();
    await Promise.race([
      this.#checkpointing,
      delay(deadlineMs, undefined, { signal: over.signal }).catch(() => {}),
    ]);
    over.abort();
    const result = await this.journal.close(Math.max(0, deadlineMs - (performance.now() - beganMs)));
    // Nobody else shall write beside a call that may still do; the lock ends with the process.
    if (!result.isStuck) await this.#onClose?.();
    return result;
  }

  async #writeCheckpoint(
    position: number,
    chunks: AsyncIterable<CheckpointChunk> | Iterable<CheckpointChunk>,
    signal: AbortSignal,
  ): Promise<CheckpointFigures> {
    const { storage, directoryId, term, bornMs } = this.#place;
    const header = { directoryId, term, position, createdMs: Date.now(), bornMs };
    const source = new GuardedChunks(chunks, signal);
    try {
      const figures = await writeCheckpoint(storage, header, source.chunks(), () =>
        this.#committed(position, signal),
      );
      await this.#removeCovered(position, figures.name);
      return figures;
    } catch (error) {
      throw source.hasFailed ? error : storageError(storage.path, 'write a checkpoint', error);
    }
  }

  #committed(position: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = (): void => reject(calledOff());
      if (signal.aborted) cancel();
      signal.addEventListener('abort', cancel, { once: true });
      this.journal.whenCommitted(position, () => {
        signal.removeEventListener('abort', cancel);
        resolve();
      });
    });
  }

  /** What cannot be removed is removed after the next checkpoint, or at the next opening. */
  async #removeCovered(position: number, checkpoint: string): Promise<void> {
    const { storage } = this.#place;
    try {
      const { segments, checkpoints } = await listDirectory(storage);
      const older = checkpoints.filter((file) => file.name !== checkpoint && file.position <= position);
      // A segment ends where the next one begins; the last one may be written to.
      const covered = segments.filter(
        (_, i) => segments[i + 1] !== undefined && segments[i + 1]!.position <= position,
      );
      for (const { name } of [...older, ...covered]) await storage.remove(name);
    } catch (error) {
      this.#log.warn({ err: error }, 'files that the checkpoint covers cannot be removed');
    }
  }
}

/** Tells what the caller's chunks throw from what the disk does, and stops between two of them. */
class GuardedChunks {
  readonly #chunks: AsyncIterable<CheckpointChunk> | Iterable<CheckpointChunk>;
  readonly #signal: AbortSignal;
  #hasFailed = false;

  constructor(chunks: AsyncIterable<CheckpointChunk> | Iterable<CheckpointChunk>, signal: AbortSignal) {
    this.#chunks = chunks;
    this.#signal = signal;
  }

  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  async *chunks(): AsyncGenerator<CheckpointChunk> {
    let isOurs = false;
    try {
      for await (const chunk of this.#chunks) {
        isOurs = true;
        if (this.#signal.aborted) throw calledOff();
        yield chunk;
        isOurs = false;
      }
    } catch (error) {
      this.#hasFailed = !isOurs;
      throw error;
    }
  }
}

function calledOff(): StreamgaugeError {
  return new StreamgaugeError('cancelled', 'the checkpoint was called off');
}
