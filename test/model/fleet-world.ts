import { Outputs } from '../../collector/outputs/outputs.ts';
import type { ReaderCursor } from '../../collector/outputs/reader-cursor.ts';
import { SessionCounters } from '../../collector/sessions/session-counters.ts';
import { memoryJournal } from '../../collector/sessions/session-journal.ts';
import { Sessions } from '../../collector/sessions/sessions.ts';
import { compileViews, longestStalenessMs } from '../../collector/views/compile-views.ts';
import type { Temporality } from '../../otel/model/metric.ts';
import { PointIntake } from '../../otel/state/intake/point-intake.ts';
import { stalenessMs, views } from './catalogue-views.ts';
import type { ModelPointRules } from './model-points.ts';
import { ReferenceCollector } from './reference-collector.ts';

export const birthUs = 1_700_000_000_000_000;
export const evictionMs = 86_400_000;

export const roomyLimits = {
  maxMessageBytes: 1e6,
  maxSeries: 1000,
  maxAttributes: 8,
  maxAttributeBytes: 64,
  maxStreams: 9,
  maxMembers: 100,
};

/** What a fleet talks to, and what it is held against. */
export interface FleetWorld {
  nowUs: number;
  readonly counters: SessionCounters;
  readonly outputs: Outputs;
  readonly sessions: Sessions;
  readonly intake: PointIntake;
  readonly model: ReferenceCollector;
  /** Of merged outputs; `writer` is what the model calls it. */
  readonly writerId: string;
  /** A reader that stays. */
  addReader(temporality: Temporality, name: string): ReaderCursor;
  /** Time goes on; what it does to members, series and points is done. */
  wait(seconds: number): void;
  /** The collector's limit of series is set to another value. */
  limitSeries(maxSeries: number): void;
}

/** The collector's core, the model of it, and the clock that both go by. */
export class World implements FleetWorld {
  nowUs = birthUs;
  readonly counters = new SessionCounters();
  readonly outputs: Outputs;
  readonly sessions: Sessions;
  readonly intake: PointIntake;
  readonly model: ReferenceCollector;
  readonly writerId = 'writer';
  readonly limits = { ...roomyLimits };

  constructor(overlap: ModelPointRules['overlap']) {
    const nowUs = () => this.nowUs;
    this.outputs = new Outputs({
      nowUs,
      plansFor: compileViews(views, stalenessMs),
      writerId: 'writer',
      outputExpiryMs: 86_400_000,
    });
    const { store } = this.outputs;
    this.sessions = new Sessions({
      store,
      counters: this.counters,
      limits: this.limits,
      journal: memoryJournal(Buffer.alloc(16), Buffer.alloc(8)),
      stalenessMs: longestStalenessMs(views, stalenessMs),
      evictionMs,
      nowUs,
      log: () => {},
    });
    // A short margin, so that lives of a few seconds are among those that count from zero.
    const rules = { overlap, delayMarginUs: 2_000_000, startToleranceUs: 1_000_000 };
    this.intake = new PointIntake(store, rules);
    this.model = new ReferenceCollector(birthUs, rules);
  }

  addReader(temporality: Temporality, name: string): ReaderCursor {
    return this.outputs.addReader(temporality, name);
  }

  wait(seconds: number): void {
    this.nowUs += seconds * 1_000_000;
    this.sessions.tick();
    this.intake.expire(this.nowUs, longestStalenessMs(views, stalenessMs) * 1000, evictionMs * 1000);
    this.model.tick(this.nowUs);
    this.outputs.sweep();
    this.model.members.sweep(this.nowUs);
  }

  limitSeries(maxSeries: number): void {
    this.limits.maxSeries = maxSeries;
    this.model.streams.maxSeries = maxSeries;
  }
}
