import { SnapshotError } from '../../otel/snapshot/snapshot-error.ts';
import { StreamgaugeError } from '../../proto/error.ts';
import { CollectorState } from '../collector-state.ts';
import type { DurableState } from '../journal/durable-state.ts';
import type { JournalLog } from '../journal/journal-log.ts';
import type { JournalOptions } from '../journal/journal-options.ts';
import { openDataDirectory } from '../journal/open-data-directory.ts';
import type { Recovery, RecoveryReport } from '../journal/recovery.ts';
import type { OutputProblems } from '../outputs/output-problems.ts';
import type { SessionCounters } from '../sessions/session-counters.ts';
import type { SessionHost } from '../sessions/session-host.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { StoreClock } from '../store-clock.ts';
import type { KnownLosses } from './known-losses.ts';
import { LossWatch } from './loss-watch.ts';
import { Recorder } from './recorder.ts';
import { type IntervalRestoring, Restoring } from './restoring.ts';
import { rulesText, type StateRules } from './state-rules.ts';

export interface OpenStateOptions {
  readonly directory: string;
  readonly journal: JournalOptions;
  /** From now on. */
  readonly rules: StateRules;
  readonly problems: OutputProblems;
  readonly counters: SessionCounters;
  readonly intervals: IntervalRestoring;
  readonly log: JournalLog & { info(fields: object, message: string): void };
  readonly sessionLog: SessionHost['log'];
  /** How the directory is opened. Default: for this process alone, by its lock. */
  readonly recover?: () => Promise<Recovery>;
  /** Default: the machine's. */
  readonly clock?: StoreClock;
}

/** The state of a data directory, as it was and from now on. */
export interface OpenedState {
  readonly state: CollectorState;
  readonly sessions: Sessions;
  readonly durable: DurableState;
  readonly recorder: Recorder;
  readonly losses: KnownLosses;
  readonly watch: LossWatch;
  readonly report: RecoveryReport;
  /** Whether a checkpoint is to be written soon: something has changed that the journal does not tell quickly, or reading it took long. */
  readonly wantsCheckpoint: boolean;
}

/** After reading so much of the journal a checkpoint is written, so that the next restart need not. */
const longReplayRecords = 100_000;

/**
 * Opens a data directory and goes on where it was left: the newest good checkpoint, then the journal.
 * @throws StreamgaugeError `config` when another process holds the directory, or it holds what this version cannot read; `unavailable` when it cannot be read or written
 */
export async function openState(options: OpenStateOptions): Promise<OpenedState> {
  const { directory, log, recover = () => openDataDirectory(directory, log) } = options;
  let recovery = await recover();
  try {
    for (;;) {
      const restoring = restoringOf(recovery, options);
      await load(restoring, recovery, directory);
      const unusable = await replay(restoring, recovery);
      if (unusable === undefined) return await begin(restoring, recovery, options);
      const { position, error } = unusable;
      log.error(
        { err: error, directory, position },
        'a record of the journal cannot be applied: it and those behind it are not used, and are kept in the folder damaged; please report this',
      );
      options.intervals.startAgain();
      recovery = await recovery.again({ position, what: StreamgaugeError.from(error).message });
    }
  } catch (error) {
    await recovery.abandon();
    throw error;
  }
}

function restoringOf(
  recovery: Recovery,
  { problems, intervals, log, clock = new StoreClock() }: OpenStateOptions,
): Restoring {
  const onBug = (error: unknown): void =>
    log.error({ err: error }, 'a message in the journal made the collector fail; please report this');
  const writerId = recovery.directoryId.toString('hex');
  return new Restoring({ writerId, problems, intervals, onBug, clock });
}

/** What was there is there again: from here on it is changed. */
async function begin(
  restoring: Restoring,
  recovery: Recovery,
  options: OpenStateOptions,
): Promise<OpenedState> {
  const { journal, rules, problems, counters, intervals, log, sessionLog } = options;
  const { clock } = restoring;
  const writerId = recovery.directoryId.toString('hex');
  const { state: durable, report } = await recovery.begin(journal);
  const { restored, losses } = restoring;
  // Everything below happens at one moment, which is that of the record.
  clock.run();
  const nowUs = clock.nowUs();
  clock.show(nowUs);
  const state = restored?.state ?? new CollectorState({ rules, writerId, problems, clock });
  const recorder = new Recorder(durable, (place, atUs) => watch.returned(place, atUs));
  // A reader may not come back, views may have changed, and what is half-read stands in the way of that.
  restored?.replayer.finishIntervals(recorder);
  intervals.dropFormer();
  recorder.begun(nowUs, rulesText(rules));
  for (const session of [...(restored?.sessions ?? [])]) session.closed();
  state.outputs.unclaimReaders();
  const sessions = state.sessions(recorder, counters, sessionLog, restored?.sessions);
  let hasChanged = rulesText(rules) !== rulesText(state.rules);
  if (hasChanged && !state.change(rules, sessions))
    throw new StreamgaugeError('bug', 'views cannot be changed while an interval is read');
  state.outputs.recordIn(recorder);
  const watch = new LossWatch({ state, sessions, durable, recorder, losses, intervals, log });
  const tokens = report.losses.map(({ token }) => token);
  const { skippedAt } = restoring;
  if (skippedAt !== undefined) {
    log.error(
      { directory: durable.path, position: skippedAt },
      'messages in the journal are passed over: one before them on their stream makes this version fail, and did not when it came',
    );
    tokens.push(tokenOf(skippedAt));
  }
  if (watch.found(tokens, nowUs)) hasChanged = true;
  clock.run();
  const wantsCheckpoint = hasChanged || report.records >= longReplayRecords;
  return { state, sessions, durable, recorder, losses, watch, report, wantsCheckpoint };
}

async function load(restoring: Restoring, recovery: Recovery, directory: string): Promise<void> {
  try {
    await restoring.load(recovery.chunks());
  } catch (error) {
    if (!(error instanceof SnapshotError || error instanceof SyntaxError)) throw error;
    throw new StreamgaugeError(
      'config',
      `the checkpoint at position ${recovery.checkpoint?.position} in ${directory} holds what this version of streamgauge cannot read (${error.message}): start the version that wrote it, choose another directory with --data-dir, or keep no state with --memory`,
      { cause: error },
    );
  }
}

/** Gives the record that cannot be applied, if there is one: then the state is of no use. */
async function replay(
  restoring: Restoring,
  recovery: Recovery,
): Promise<{ position: number; error: unknown } | undefined> {
  for await (const commit of recovery.commits())
    for (const record of commit) {
      try {
        restoring.apply(record);
      } catch (error) {
        return { position: record.position, error };
      }
    }
  return undefined;
}

/** Of a loss that each opening finds at the same place, until a checkpoint covers it. */
function tokenOf(position: number): Buffer {
  const token = Buffer.alloc(8);
  token.writeBigUInt64LE(BigInt(position));
  return token;
}
