import { StreamgaugeError } from '../../proto/error.ts';
import type { JournalLog } from '../journal/journal-log.ts';
import type { CommitFigures } from '../journal/journal-options.ts';
import { type CheckpointPart, Checkpoints } from './checkpoints.ts';
import type { OpenedState } from './open-state.ts';
import type { StateStorage, StorageStatus } from './state-storage.ts';

export interface DirectoryStorageOptions {
  readonly opened: OpenedState;
  /** How long opening it took, milliseconds. */
  readonly openedMs: number;
  readonly parts: readonly CheckpointPart[];
  readonly log: JournalLog;
  readonly checkpointBytes?: number;
  readonly checkpointIntervalMs?: number;
}

/** A data directory that the state is kept in. */
export class DirectoryStorage implements StateStorage {
  readonly kind = 'directory';
  readonly #options: DirectoryStorageOptions;
  readonly #checkpoints: Checkpoints;
  #commitMs = 0;
  #failure: StreamgaugeError | undefined;

  constructor(options: DirectoryStorageOptions) {
    this.#options = options;
    const { opened, parts, log, checkpointBytes, checkpointIntervalMs } = options;
    this.#checkpoints = new Checkpoints({
      ...opened,
      parts,
      log,
      ...(checkpointBytes === undefined ? {} : { journalBytes: checkpointBytes }),
      ...(checkpointIntervalMs === undefined ? {} : { intervalMs: checkpointIntervalMs }),
    });
    if (opened.wantsCheckpoint) this.#checkpoints.want();
    opened.watch.onLoss = () => this.#checkpoints.want();
  }

  /** For the journal's options. */
  readonly onCommit = ({ durationMs }: CommitFigures): void => {
    this.#commitMs += durationMs;
  };

  /** The rules were changed in place: the journal alone would do it again, slowly. */
  wantCheckpoint(): void {
    this.#checkpoints.want();
  }

  holdCheckpoints(): () => void {
    return this.#checkpoints.hold();
  }

  committed(): Promise<void> {
    return this.#options.opened.recorder.committed();
  }

  get isCongested(): boolean {
    return this.#options.opened.durable.journal.isCongested;
  }

  drained(): Promise<void> {
    return this.#options.opened.durable.journal.drained();
  }

  get failure(): StreamgaugeError | undefined {
    return this.#failure ?? this.#options.opened.durable.journal.status.error;
  }

  get status(): StorageStatus {
    const { durable, report, watch } = this.#options.opened;
    const { error, failingSinceMs: _, ...journal } = durable.journal.status;
    const { last } = this.#checkpoints;
    return {
      kind: 'directory',
      path: durable.path,
      directoryId: durable.directoryId.toString('hex'),
      term: durable.term.toString('hex'),
      ...journal,
      commitMs: this.#commitMs,
      error: error?.message ?? null,
      checkpoint:
        last === undefined
          ? null
          : {
              position: last.position,
              bytes: last.bytes,
              durationMs: last.durationMs,
              longestMomentMs: last.longestMomentMs,
            },
      checkpoints: this.#checkpoints.counts,
      losses: watch.losses,
      recovery: {
        records: report.records,
        damages: report.damages.length,
        durationMs: this.#options.openedMs,
      },
    };
  }

  tick(): void {
    this.#checkpoints.tick();
  }

  checkpoint(signal: AbortSignal): Promise<boolean> {
    return this.#checkpoints.write(signal);
  }

  async close(deadlineMs: number): Promise<StreamgaugeError | undefined> {
    const { durable } = this.#options.opened;
    const { uncommittedBytes, error } = await durable.close(deadlineMs);
    if (uncommittedBytes === 0) return undefined;
    // A disk that hangs gives no error.
    this.#failure ??=
      error ??
      new StreamgaugeError(
        'unavailable',
        `${uncommittedBytes} bytes could not be written to ${durable.path} in time: the disk does not answer`,
      );
    return this.#failure;
  }
}
