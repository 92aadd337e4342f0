import { chunksInTurns } from '../../otel/snapshot/load-sections.ts';
import type { SnapshotChunk } from '../../otel/snapshot/snapshot-chunk.ts';
import { SnapshotWriter } from '../../otel/snapshot/snapshot-writer.ts';
import { StoreSnapshot } from '../../otel/state/snapshot/store-snapshot.ts';
import { longestTurnMs, nextTurn } from '../../otel/turns.ts';
import { StreamgaugeError } from '../../proto/error.ts';
import type { CollectorState } from '../collector-state.ts';
import type { DurableState } from '../journal/durable-state.ts';
import type { JournalLog } from '../journal/journal-log.ts';
import type { RecoveryReport } from '../journal/recovery.ts';
import type { CheckpointFigures } from '../journal/write-checkpoint.ts';
import type { OutputsSnapshot } from '../outputs/snapshot/outputs-snapshot.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { SessionsSnapshot } from '../sessions/snapshot/sessions-snapshot.ts';
import { writeHead } from './durability-section.ts';
import type { KnownLosses } from './known-losses.ts';
import type { Recorder } from './recorder.ts';
import { rulesText } from './state-rules.ts';

/** A part of the state that is there beside the store, the streams and the outputs. */
export interface CheckpointPart {
  /** Resolves when a moment has come at which a picture may be taken; another may have passed by then. */
  ready(): Promise<void>;
  isReady(): boolean;
  /** What there is now, as sections to be written later. */
  picture(): (writer: SnapshotWriter) => Iterable<SnapshotChunk>;
}

export interface CheckpointsOptions {
  readonly state: CollectorState;
  readonly sessions: Sessions;
  readonly durable: DurableState;
  readonly recorder: Recorder;
  readonly losses: KnownLosses;
  /** The checkpoint that this run began with. */
  readonly report: Pick<RecoveryReport, 'checkpoint'>;
  readonly parts: readonly CheckpointPart[];
  readonly log: JournalLog;
  /** The journal behind a checkpoint has at least so many bytes when the next one is written. Default 64 MiB. */
  readonly journalBytes?: number;
  /** And it is at most so old when something has changed. Default 10 minutes. */
  readonly intervalMs?: number;
}

/** The journal may be so many times as long as the checkpoint before: writing that again costs no more than what is read at a restart. */
const journalToCheckpoint = 1;

/** Writes checkpoints when they are due, one at a time, while streams go on. */
export class Checkpoints {
  readonly #options: CheckpointsOptions;
  readonly #store: StoreSnapshot;
  readonly #sessions: SessionsSnapshot;
  readonly #journalBytes: number;
  readonly #intervalMs: number;
  #position: number;
  #lastBytes: number;
  #lastMs = performance.now();
  #isWanted = false;
  #holders = 0;
  #writing: Promise<void> | undefined;
  #cancelled = new AbortController();
  #last: CheckpointFigures | undefined;
  #longestMomentMs = 0;
  #written = 0;
  #failed = 0;

  constructor(options: CheckpointsOptions) {
    this.#options = options;
    const { state, sessions, report, journalBytes = 64 * 2 ** 20, intervalMs = 600_000 } = options;
    this.#store = new StoreSnapshot(state.store, state.points);
    this.#sessions = new SessionsSnapshot(sessions, state.store);
    this.#journalBytes = journalBytes;
    this.#intervalMs = intervalMs;
    this.#position = report.checkpoint?.position ?? 0;
    this.#lastBytes = report.checkpoint?.bytes ?? 0;
  }

  /** The last one that was written in this run; and how long its moment held up everything else, at most. */
  get last(): (CheckpointFigures & { readonly longestMomentMs: number }) | undefined {
    return this.#last === undefined ? undefined : { ...this.#last, longestMomentMs: this.#longestMomentMs };
  }

  get counts(): { readonly written: number; readonly failed: number } {
    return { written: this.#written, failed: this.#failed };
  }

  /** Begins one where it is due. Called every second or so. */
  tick(): void {
    if (this.#writing === undefined && this.#holders === 0 && this.#isDue()) void this.#begin();
  }

  /** None is begun until the function that it gives is called, once, and one that is under way is called off, to be written then. */
  hold(): () => void {
    this.#holders++;
    const isCalledOff = this.#writing !== undefined;
    this.#cancelled.abort();
    return () => {
      this.#holders--;
      if (isCalledOff) this.#isWanted = true;
    };
  }

  /** One is to be written soon, whatever is due: the state is not what the one before and the journal come to quickly. One that is under way is given up. */
  want(): void {
    this.#isWanted = true;
    this.#cancelled.abort();
  }

  /** Writes one now, after the one that is under way. Resolves with whether it could be written, and when the signal comes, whatever the disk does. */
  async write(signal: AbortSignal): Promise<boolean> {
    const isOver = aborted(signal);
    await Promise.race([this.#writing, isOver]);
    if (signal.aborted) return false;
    return await Promise.race([this.#begin(signal), isOver]);
  }

  #isDue(): boolean {
    const { position } = this.#options.durable.journal;
    if (this.#isWanted) return true;
    const bytes = position - this.#position;
    if (bytes === 0) return false;
    if (bytes >= Math.max(this.#journalBytes, this.#lastBytes * journalToCheckpoint)) return true;
    return performance.now() - this.#lastMs >= this.#intervalMs;
  }

  #begin(signal?: AbortSignal): Promise<boolean> {
    this.#isWanted = false;
    this.#cancelled = new AbortController();
    const signals = [this.#cancelled.signal, ...(signal === undefined ? [] : [signal])];
    const written = this.#write(AbortSignal.any(signals));
    this.#writing = written.then(() => {
      this.#writing = undefined;
    });
    return written;
  }

  /** Never rejects: the checkpoint before still holds, and the next one is tried at its time. */
  async #write(signal: AbortSignal): Promise<boolean> {
    const { durable, log } = this.#options;
    let outputs: OutputsSnapshot | undefined;
    try {
      await inTurns(this.#store.reserve());
      await inTurns(this.#sessions.reserve());
      await this.#ready(signal);
      const moment = this.#take();
      outputs = moment.outputs;
      this.#last = await durable.writeCheckpoint(moment.position, chunksInTurns(moment.chunks), signal);
      this.#position = moment.position;
      this.#written++;
      this.#lastBytes = this.#last.bytes;
      return true;
    } catch (error) {
      this.#failed++;
      const { kind } = StreamgaugeError.from(error);
      if (kind !== 'cancelled')
        log.warn({ err: error }, 'a checkpoint could not be written; the one before still holds');
      return false;
    } finally {
      outputs?.close();
      this.#lastMs = performance.now();
    }
  }

  async #ready(signal: AbortSignal): Promise<void> {
    const { parts } = this.#options;
    for (let waiting = parts.find((part) => !part.isReady()); waiting !== undefined; ) {
      if (signal.aborted) throw new StreamgaugeError('cancelled', 'the checkpoint was called off');
      await waiting.ready();
      waiting = parts.find((part) => !part.isReady());
    }
  }

  /** One synchronous step: what is pictured is the effect of the records so far, and of no other. */
  #take(): { position: number; outputs: OutputsSnapshot; chunks: Iterable<SnapshotChunk> } {
    const beganMs = performance.now();
    const { state, durable, recorder, losses, parts } = this.#options;
    const { position } = durable.journal;
    recorder.cut();
    const head = { rules: rulesText(state.rules), readers: [...recorder.readers.all], losses: losses.all };
    this.#store.take();
    this.#sessions.take();
    const outputs = state.outputs.snapshot();
    const others = parts.map((part) => part.picture());
    this.#longestMomentMs = Math.max(this.#longestMomentMs, performance.now() - beganMs);
    const writer = new SnapshotWriter();
    const store = this.#store;
    const sessions = this.#sessions;
    const chunks = (function* () {
      yield* writeHead(writer, head);
      yield* store.write(writer);
      yield* sessions.write(writer);
      yield* outputs.chunks(writer);
      for (const write of others) yield* write(writer);
    })();
    return { position, outputs, chunks };
  }
}

function aborted(signal: AbortSignal): Promise<false> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(false);
    else signal.addEventListener('abort', () => resolve(false), { once: true });
  });
}

async function inTurns(steps: Iterable<void>): Promise<void> {
  let beganMs = performance.now();
  for (const _ of steps) {
    if (performance.now() - beganMs < longestTurnMs) continue;
    await nextTurn();
    beganMs = performance.now();
  }
}
