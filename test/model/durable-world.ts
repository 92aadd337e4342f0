import { DirectoryStorage } from '../../collector/durability/directory-storage.ts';
import { type OpenedState, openState } from '../../collector/durability/open-state.ts';
import type { IntervalRestoring } from '../../collector/durability/restoring.ts';
import type { StateRules } from '../../collector/durability/state-rules.ts';
import { Recovery } from '../../collector/journal/recovery.ts';
import { OutputProblems } from '../../collector/outputs/output-problems.ts';
import type { Outputs } from '../../collector/outputs/outputs.ts';
import type { ReaderCursor } from '../../collector/outputs/reader-cursor.ts';
import { SessionCounters } from '../../collector/sessions/session-counters.ts';
import type { Sessions } from '../../collector/sessions/sessions.ts';
import { StoreClock } from '../../collector/store-clock.ts';
import type { Temporality } from '../../otel/model/metric.ts';
import type { PointIntake } from '../../otel/state/intake/point-intake.ts';
import { MemoryStorage } from '../collector/journal/memory-storage.ts';
import { recordedLog } from '../collector/journal/recorded-log.ts';
import { stalenessMs, views } from './catalogue-views.ts';
import { birthUs, evictionMs, type FleetWorld, roomyLimits } from './fleet-world.ts';
import { readPoints } from './read-points.ts';
import { ReferenceCollector } from './reference-collector.ts';

/** A reader of the fleet reads a whole collection at once, so that is what is done again. */
const readAtOnce: IntervalRestoring = {
  loaders: new Map(),
  of: (_reader, cursor, outputs) => ({
    replayBegan: (wallUs) => void readPoints(outputs.collect(cursor, wallUs)),
    replaySteps() {},
    replayAnswered() {},
    replayGone() {},
    finishNow() {},
  }),
  dropFormer() {},
  startAgain() {},
  finishNow() {},
};

/** The collector's core over a storage in memory, which may be killed and comes back, and the model of it, which is not. */
export class DurableWorld implements FleetWorld {
  nowUs = birthUs;
  readonly counters = new SessionCounters();
  readonly model: ReferenceCollector;
  #opened!: OpenedState;
  #directory!: DirectoryStorage;
  #storage = new MemoryStorage();
  #maxSeries = roomyLimits.maxSeries;
  /** The store's clock is a microsecond ahead from an opening on. */
  #aheadUs = 0;

  private constructor() {
    this.model = new ReferenceCollector(birthUs, {
      overlap: 'drop',
      delayMarginUs: 2_000_000,
      startToleranceUs: 1_000_000,
    });
  }

  static async open(): Promise<DurableWorld> {
    const world = new DurableWorld();
    await world.#open();
    return world;
  }

  get writerId(): string {
    return this.#opened.durable.directoryId.toString('hex');
  }

  get outputs(): Outputs {
    return this.#opened.state.outputs;
  }

  get sessions(): Sessions {
    return this.#opened.sessions;
  }

  get intake(): PointIntake {
    return this.#opened.state.points;
  }

  addReader(temporality: Temporality, name: string): ReaderCursor {
    const requests = temporality === 'delta' ? ({ format: 'otlp', maxBytes: 1 } as const) : undefined;
    return this.outputs.addReader(temporality, name, requests);
  }

  /** Time goes on; what it does to members, series and points is done. */
  wait(seconds: number): void {
    this.nowUs += seconds * 1_000_000;
    this.sessions.tick();
    this.model.tick(this.nowUs);
    this.outputs.sweep();
    this.model.members.sweep(this.nowUs);
  }

  /** Streams keep their limits: those that come after the next restart have this one. */
  limitSeries(maxSeries: number): void {
    this.#maxSeries = maxSeries;
  }

  async checkpoint(): Promise<void> {
    if (!(await this.#directory.checkpoint(new AbortController().signal)))
      throw new Error('a checkpoint could not be written');
  }

  /** Everything that happened is committed, and the process killed; it comes back. */
  async restart(isInOrder: boolean): Promise<void> {
    const { durable } = this.#opened;
    if (isInOrder) {
      await this.checkpoint();
      await durable.close();
    } else await durable.journal.committed(durable.journal.position);
    this.#storage = this.#storage.kill();
    for (const session of [...this.sessions]) session.closed();
    this.model.streams.maxSeries = this.#maxSeries;
    await this.#open();
  }

  async #open(): Promise<void> {
    this.#aheadUs = 0;
    const storage = this.#storage;
    const log = recordedLog();
    const clock = new StoreClock({
      nowUs: () => this.nowUs - this.#aheadUs,
      monotonicMs: () => (this.nowUs - this.#aheadUs) / 1000,
    });
    const opened = await openState({
      directory: storage.path,
      journal: {},
      rules: this.#rules,
      problems: new OutputProblems(() => {}),
      counters: this.counters,
      intervals: readAtOnce,
      log,
      sessionLog: () => {},
      recover: () => Recovery.start(storage, { log, nowMs: this.nowUs / 1000 }),
      clock,
    });
    this.#aheadUs = 1;
    this.#opened = opened;
    const parts = [{ isReady: () => true, ready: async () => {}, picture: () => () => [] }];
    this.#directory = new DirectoryStorage({ opened, openedMs: 0, parts, log });
    // That nothing is told before its commit is tested where commits take their time.
    opened.recorder.whenCommitted = (run) => run();
  }

  get #rules(): StateRules {
    return {
      limits: { ...roomyLimits, maxSeries: this.#maxSeries },
      stalenessMs,
      evictionMs,
      outputExpiryMs: 86_400_000,
      views,
      otlp: { maxPoints: 1000, maxSeries: 100, overlap: 'drop', delayMarginMs: 2000 },
    };
  }
}
