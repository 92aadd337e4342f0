import { DirectoryStorage } from '../../../collector/durability/directory-storage.ts';
import { KeptIntervals } from '../../../collector/durability/kept-intervals.ts';
import { type OpenedState, openState } from '../../../collector/durability/open-state.ts';
import { Restoring } from '../../../collector/durability/restoring.ts';
import type { StateRules } from '../../../collector/durability/state-rules.ts';
import type { JournalRecord } from '../../../collector/journal/frame.ts';
import type { JournalOptions } from '../../../collector/journal/journal-options.ts';
import { Recovery } from '../../../collector/journal/recovery.ts';
import type { Storage } from '../../../collector/journal/storage.ts';
import { OutputProblems } from '../../../collector/outputs/output-problems.ts';
import { SessionCounters } from '../../../collector/sessions/session-counters.ts';
import { StoreClock } from '../../../collector/store-clock.ts';
import type { Clock } from '../../../otel/clock.ts';
import type { Temporality } from '../../../otel/model/metric.ts';
import { type RecordedLog, recordedLog } from '../journal/recorded-log.ts';
import { DurableReader } from './durable-reader.ts';

export interface SideOptions {
  readonly clock: Clock;
  readonly rules: StateRules;
  readonly readers: readonly { readonly name: string; readonly temporality: Temporality }[];
  readonly journal?: JournalOptions;
  /** Told of streams in each other's way. Default: nobody is. */
  readonly onProblem?: () => void;
}

/** A collector's state over a storage, with its readers, as the collector puts them together; without ports, timers and backends. */
export class DurableSide {
  readonly opened: OpenedState;
  readonly storage: DirectoryStorage;
  readonly readers: readonly DurableReader[];
  readonly intervals: KeptIntervals;
  readonly counters: SessionCounters;
  readonly log: RecordedLog;

  private constructor(
    opened: OpenedState,
    readers: readonly DurableReader[],
    intervals: KeptIntervals,
    counters: SessionCounters,
    log: RecordedLog,
  ) {
    this.opened = opened;
    this.readers = readers;
    this.intervals = intervals;
    this.counters = counters;
    this.log = log;
    this.storage = new DirectoryStorage({ opened, openedMs: 0, parts: [intervals], log });
  }

  static async open(storage: Storage, options: SideOptions): Promise<DurableSide> {
    const { clock, rules, journal = {} } = options;
    const log = recordedLog();
    const readers = options.readers.map(
      ({ name, temporality }) => new DurableReader(name, temporality, clock),
    );
    const intervals = keptIntervals(readers, log);
    const counters = new SessionCounters();
    const opened = await openState({
      directory: storage.path,
      journal,
      rules,
      problems: new OutputProblems(options.onProblem ?? (() => {})),
      counters,
      intervals,
      log,
      sessionLog: () => {},
      recover: () => Recovery.start(storage, { log, nowMs: clock.nowUs() / 1000 }),
      clock: new StoreClock(clock),
    });
    const { state, recorder } = opened;
    for (const reader of readers) reader.bindLive(state.outputs, recorder, () => recorder.committed());
    return new DurableSide(opened, readers, intervals, counters, log);
  }

  get state() {
    return this.opened.state;
  }

  get sessions() {
    return this.opened.sessions;
  }

  get journal() {
    return this.opened.durable.journal;
  }

  /** Nobody uses it any more: its storage is dead. */
  abandon(): void {
    for (const session of [...this.sessions]) session.closed();
  }
}

function keptIntervals(readers: readonly DurableReader[], log: RecordedLog): KeptIntervals {
  return new KeptIntervals(
    readers.flatMap(({ kept }) => (kept === undefined ? [] : [kept])),
    log,
  );
}

/** A state made again from a checkpoint's chunks and records, by nothing that opens a directory. */
export interface Restored {
  readonly restoring: Restoring;
  readonly readers: readonly DurableReader[];
  readonly bugs: unknown[];
}

export async function restore(
  options: SideOptions,
  writerId: string,
  chunks: Parameters<Restoring['load']>[0] | undefined,
  records: AsyncIterable<JournalRecord> | Iterable<JournalRecord>,
): Promise<Restored> {
  const readers = options.readers.map(
    ({ name, temporality }) => new DurableReader(name, temporality, options.clock),
  );
  const bugs: unknown[] = [];
  const restoring = new Restoring({
    writerId,
    problems: new OutputProblems(() => {}),
    intervals: keptIntervals(readers, recordedLog()),
    onBug: (error) => void bugs.push(error),
    clock: new StoreClock(options.clock),
  });
  if (chunks !== undefined) await restoring.load(chunks);
  for await (const record of records) restoring.apply(record);
  return { restoring, readers, bugs };
}
