import { PointIntake } from '../otel/state/intake/point-intake.ts';
import type { PointRules } from '../otel/state/intake/point-rules.ts';
import type { MetricStore } from '../otel/state/metric-store.ts';
import { outputRulesText, type StateRules, sessionRules } from './durability/state-rules.ts';
import type { OutputProblems } from './outputs/output-problems.ts';
import { Outputs } from './outputs/outputs.ts';
import { OtlpIntake, otlpLimits } from './receivers/otlp/otlp-intake.ts';
import type { SessionCounters } from './sessions/session-counters.ts';
import type { SessionHost } from './sessions/session-host.ts';
import type { SessionJournal } from './sessions/session-journal.ts';
import { Sessions } from './sessions/sessions.ts';
import { StoreClock } from './store-clock.ts';
import { compileViews } from './views/compile-views.ts';

export interface StateOptions {
  readonly rules: StateRules;
  /** The `service.instance.id` of merged outputs. */
  readonly writerId: string;
  readonly problems: OutputProblems;
  /** Default: one that runs. */
  readonly clock?: StoreClock;
}

/** Everything that a collector knows: what came in, what leaves, and by which rules one becomes the other. */
export class CollectorState {
  readonly clock: StoreClock;
  readonly outputs: Outputs;
  /** The way in for what comes as data points. */
  readonly points: PointIntake;
  #rules: StateRules;

  constructor({ rules, writerId, problems, clock = new StoreClock() }: StateOptions) {
    this.clock = clock;
    this.#rules = rules;
    this.outputs = new Outputs({
      nowUs: clock.nowUs,
      plansFor: compileViews(rules.views, rules.stalenessMs),
      writerId,
      outputExpiryMs: rules.outputExpiryMs,
      problems,
    });
    this.points = new PointIntake(this.store, pointRules(rules));
  }

  get store(): MetricStore {
    return this.outputs.store;
  }

  /** In force. */
  get rules(): StateRules {
    return this.#rules;
  }

  /** The streams. @param before those of an earlier run, which are over */
  sessions(
    journal: SessionJournal,
    counters: SessionCounters,
    log: SessionHost['log'],
    before?: Sessions,
  ): Sessions {
    const { store, clock } = this;
    const options = { store, journal, counters, nowUs: clock.nowUs, log };
    return new Sessions({ ...options, ...sessionRules(this.#rules) }, before);
  }

  /** The way in for OTLP. @param sessions the streams beside it */
  otlp(sessions: Sessions): OtlpIntake {
    const { store, points } = this;
    const { owners } = sessions;
    return new OtlpIntake({
      store,
      points,
      limits: otlpLimits(this.#rules),
      hasLiveStream: (memberId) => owners.isLive(memberId),
      isAgent: (memberId) => owners.get(memberId) !== undefined,
    });
  }

  /** Series of points that have been silent for too long leave, or are freed. Before what ended is swept. Gives whether anything has changed. */
  expirePoints(nowUs: number): boolean {
    const { stalenessMs, evictionMs } = sessionRules(this.#rules);
    return this.points.expire(nowUs, stalenessMs * 1000, evictionMs * 1000);
  }

  /**
   * Other rules from now on. Gives false, and changes nothing, while outputs are read: try again then. See {@link Outputs.changeViews}.
   * @param nowUs the time that is recorded of it: done again, what begins has the same start time
   */
  change(rules: StateRules, sessions: Sessions, nowUs = this.clock.nowUs()): boolean {
    const { views, stalenessMs, outputExpiryMs } = rules;
    const isOfOutputs = outputRulesText(rules) !== outputRulesText(this.#rules);
    if (isOfOutputs && !this.outputs.changeViews(compileViews(views, stalenessMs), outputExpiryMs, nowUs))
      return false;
    this.#rules = rules;
    sessions.change(sessionRules(rules));
    this.points.change(pointRules(rules));
    return true;
  }
}

function pointRules({ otlp }: StateRules): Partial<PointRules> {
  return { overlap: otlp.overlap, delayMarginUs: otlp.delayMarginMs * 1000 };
}
