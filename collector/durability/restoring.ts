import { loadSections, type SectionLoader } from '../../otel/snapshot/load-sections.ts';
import { StoreSnapshot } from '../../otel/state/snapshot/store-snapshot.ts';
import { StreamgaugeError } from '../../proto/error.ts';
import { CollectorState } from '../collector-state.ts';
import type { CheckpointChunk } from '../journal/checkpoint-format.ts';
import type { JournalRecord } from '../journal/frame.ts';
import type { OutputProblems } from '../outputs/output-problems.ts';
import type { Outputs } from '../outputs/outputs.ts';
import type { ReaderCursor } from '../outputs/reader-cursor.ts';
import { outputsSection } from '../outputs/snapshot/outputs-snapshot.ts';
import { SessionCounters } from '../sessions/session-counters.ts';
import { memoryJournal } from '../sessions/session-journal.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { SessionsSnapshot } from '../sessions/snapshot/sessions-snapshot.ts';
import type { StoreClock } from '../store-clock.ts';
import { type DurabilityHead, durabilitySection, headLoader } from './durability-section.ts';
import type { IntervalReplay } from './interval-replay.ts';
import { KnownLosses } from './known-losses.ts';
import { badRecord, RecordReader } from './record-reader.ts';
import { recordTypes } from './record-types.ts';
import type { RecordedReader } from './recorder.ts';
import { Replayer } from './replayer.ts';
import { rulesFromText } from './state-rules.ts';

export interface RestoringOptions {
  readonly writerId: string;
  readonly problems: OutputProblems;
  readonly intervals: IntervalRestoring;
  /** Told of messages that made the collector fail. */
  readonly onBug: (error: unknown) => void;
  /** Shows the times of then. */
  readonly clock: StoreClock;
}

/** Who keeps delta intervals over a restart. */
export interface IntervalRestoring {
  /** Sections of a checkpoint, by type, after all others. */
  readonly loaders: ReadonlyMap<number, SectionLoader>;
  /** `undefined`: nobody makes these intervals again. */
  of(reader: RecordedReader, cursor: ReaderCursor, outputs: Outputs): IntervalReplay | undefined;
  /** There is nothing more to replay. */
  dropFormer(): void;
  /** What was loaded and replayed is forgotten: it is made again from the beginning. */
  startAgain(): void;
  /** Intervals that are half-made are read to their ends at once. */
  finishNow(): void;
}

/** What there is from the first record or section on that says by which rules. */
interface Restored {
  readonly state: CollectorState;
  readonly sessions: Sessions;
  readonly replayer: Replayer;
}

/** The state of an earlier run, made again from a checkpoint and the records behind it. */
export class Restoring {
  readonly losses = new KnownLosses();
  readonly #options: RestoringOptions;
  #restored: Restored | undefined;
  #earliestUs = -1;

  constructor(options: RestoringOptions) {
    this.#options = options;
  }

  get clock(): StoreClock {
    return this.#options.clock;
  }

  /** See {@link Replayer.skippedAt}: something that was acknowledged is not in the state. */
  get skippedAt(): number | undefined {
    return this.#restored?.replayer.skippedAt;
  }

  /** `undefined`: there was nothing. */
  get restored(): Restored | undefined {
    return this.#restored;
  }

  /** @throws SnapshotError or SyntaxError when it holds what this program does not write; then nothing of it is of use */
  async load(chunks: AsyncIterable<CheckpointChunk>): Promise<void> {
    const loaders = new Map<number, SectionLoader>();
    let finish: (() => void) | undefined;
    let head: DurabilityHead | undefined;
    const beginning = headLoader((loaded) => {
      head = loaded;
      const { state, sessions } = this.#begin(loaded.rules);
      for (const token of loaded.losses) this.losses.add(token);
      const store = new StoreSnapshot(state.store, state.points);
      const streams = new SessionsSnapshot(sessions, state.store);
      for (const part of [store.loaders, streams.loaders, this.#options.intervals.loaders])
        for (const [type, loader] of part) loaders.set(type, loader);
      loaders.set(outputsSection.type, (reader) => state.outputs.load(reader));
      finish = () => {
        store.finish();
        streams.finish();
      };
    });
    loaders.set(durabilitySection.type, beginning);
    await loadSections(chunks, loaders);
    finish?.();
    if (head !== undefined) this.#restored!.replayer.claim(head.readers);
  }

  /** @throws see {@link Replayer.apply} */
  apply(record: JournalRecord): void {
    if (this.#restored === undefined) this.#applyFirst(record);
    this.#restored?.replayer.apply(record);
  }

  /** The journal begins with a time, and then with the rules in force. */
  #applyFirst({ type, bytes }: JournalRecord): void {
    const reader = new RecordReader();
    reader.begin(bytes);
    if (type === recordTypes.time) {
      this.#earliestUs = reader.varint();
      return;
    }
    if (type !== recordTypes.begin || this.#earliestUs < 0)
      throw badRecord(`the journal begins with type ${type}, and no checkpoint comes before it`);
    this.#options.clock.show(this.#earliestUs + reader.varint());
    this.#begin(reader.rest().toString());
    // The record is applied as well, for what else it says.
    this.#restored!.replayer.beginAt(this.#earliestUs);
  }

  #begin(rulesText: string): Restored {
    if (this.#restored !== undefined) throw new StreamgaugeError('bug', 'the state is there already');
    const { writerId, problems, intervals, onBug, clock } = this.#options;
    const rules = rulesFromText(rulesText);
    const state = new CollectorState({ rules, writerId, problems, clock });
    const nobody = memoryJournal(Buffer.alloc(16), Buffer.alloc(8));
    const sessions = state.sessions(nobody, new SessionCounters(), () => {});
    const replayer = new Replayer({
      state,
      sessions,
      losses: this.losses,
      intervalsOf: (reader, cursor) => intervals.of(reader, cursor, state.outputs),
      onBug,
    });
    this.#restored = { state, sessions, replayer };
    return this.#restored;
  }
}
