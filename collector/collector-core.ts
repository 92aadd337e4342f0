import { randomBytes } from 'node:crypto';
import { stateDirectoryPath } from '../otel/config/state-directory.ts';
import type { IntervalJournal } from '../otel/export/interval-journal.ts';
import { CollectorState } from './collector-state.ts';
import type { CollectorConfig } from './config/collector-config.ts';
import { DirectoryStorage } from './durability/directory-storage.ts';
import type { KeptIntervals } from './durability/kept-intervals.ts';
import { openState } from './durability/open-state.ts';
import { rulesText, type StateRules, stateRules } from './durability/state-rules.ts';
import { memoryStorage, type StateStorage } from './durability/state-storage.ts';
import type { JournalLog } from './journal/journal-log.ts';
import type { OutputProblems } from './outputs/output-problems.ts';
import type { ReaderCursor } from './outputs/reader-cursor.ts';
import { type OtlpJournal, unkeptOtlp } from './receivers/otlp/otlp-journal.ts';
import { seldomWarnings } from './security/seldom-warnings.ts';
import type { SessionCounters } from './sessions/session-counters.ts';
import type { SessionHost } from './sessions/session-host.ts';
import { memoryJournal } from './sessions/session-journal.ts';
import type { Sessions } from './sessions/sessions.ts';

export interface CoreOptions {
  readonly config: CollectorConfig;
  readonly problems: OutputProblems;
  readonly counters: SessionCounters;
  readonly log: JournalLog & { info(fields: object, message: string): void };
}

/** What a collector knows, the streams that tell it, and where it is kept. */
export interface CollectorCore {
  readonly state: CollectorState;
  readonly sessions: Sessions;
  readonly storage: StateStorage;
  /** Told of what a delta reader reads and of what was answered; `undefined`: nothing is kept. */
  readonly intervalJournal: ((cursor: ReaderCursor) => IntervalJournal) | undefined;
  /** Of delta readers, where they are kept. */
  readonly intervals: KeptIntervals | undefined;
  /** Told of rules that the state goes by from this moment on. */
  readonly rulesChanged: (nowUs: number, rules: StateRules) => void;
  /** Where what comes as OTLP is written. */
  readonly otlpJournal: OtlpJournal;
  /** The `service.instance.id` of merged outputs: the data directory's id, or one at random. */
  readonly writerId: string;
}

function sessionLog(log: CoreOptions['log']): SessionHost['log'] {
  return seldomWarnings((level, fields, message) => log[level](fields, message));
}

/** What lives as long as the process. */
export function memoryCore({ config, problems, counters, log }: CoreOptions): CollectorCore {
  const directoryId = randomBytes(16);
  const writerId = directoryId.toString('hex');
  const state = new CollectorState({ rules: stateRules(config), writerId, problems });
  const journal = memoryJournal(directoryId, randomBytes(8));
  const sessions = state.sessions(journal, counters, sessionLog(log));
  const otlpJournal = unkeptOtlp;
  const kept = { storage: memoryStorage, intervalJournal: undefined, intervals: undefined, otlpJournal };
  return { state, sessions, ...kept, rulesChanged() {}, writerId };
}

/**
 * What is kept in a data directory.
 * @throws StreamgaugeError `config` when another process holds the directory, or it holds what cannot be read; `unavailable` when the disk fails
 */
export async function directoryCore(options: CoreOptions, intervals: KeptIntervals): Promise<CollectorCore> {
  const { config, problems, counters, log } = options;
  const { storage: settings } = config;
  if (settings.kind === 'memory') return memoryCore(options);
  const directory = stateDirectoryPath('streamgauge', settings.path, process.env);
  const beganMs = performance.now();
  let storage: DirectoryStorage | undefined;
  const opened = await openState({
    directory,
    journal: {
      sync: settings.sync,
      gatherMs: settings.gatherMs,
      onCommit: (commit) => storage?.onCommit(commit),
    },
    rules: stateRules(config),
    problems,
    counters,
    intervals,
    log,
    sessionLog: sessionLog(log),
  });
  const openedMs = performance.now() - beganMs;
  storage = new DirectoryStorage({ opened, openedMs, parts: [intervals], log });
  const { report, durable, state } = opened;
  const isContinued = report.checkpoint !== undefined || report.records > 0;
  if (isContinued)
    log.info(
      {
        directory: durable.path,
        checkpoint: report.checkpoint?.position ?? null,
        records: report.records,
        series: state.store.seriesCount,
        tookMs: Math.round(openedMs),
      },
      'goes on where it was left',
    );
  const { sessions, recorder } = opened;
  const intervalJournal = (cursor: ReaderCursor): IntervalJournal => ({
    // The outputs tell of the collection itself.
    began() {},
    steps: (count) => recorder.steps(cursor, count),
    answered: (count) => recorder.answered(cursor, count),
  });
  const writerId = durable.directoryId.toString('hex');
  const rulesChanged = (nowUs: number, rules: StateRules): void =>
    recorder.rulesChanged(nowUs, rulesText(rules));
  const kept = { storage, intervalJournal, intervals, otlpJournal: recorder, rulesChanged };
  return { state, sessions, ...kept, writerId };
}
