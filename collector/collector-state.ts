import type { MetricStore } from '../otel/state/metric-store.ts';
import { outputRulesText, type StateRules, sessionRules } from './durability/state-rules.ts';
import type { OutputProblems } from './outputs/output-problems.ts';
import { Outputs } from './outputs/outputs.ts';
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

  /** Other rules from now on. Gives false, and changes nothing, while outputs are read: try again then. See {@link Outputs.changeViews}. */
  change(rules: StateRules, sessions: Sessions): boolean {
    const { views, stalenessMs, outputExpiryMs } = rules;
    const isOfOutputs = outputRulesText(rules) !== outputRulesText(this.#rules);
    if (isOfOutputs && !this.outputs.changeViews(compileViews(views, stalenessMs), outputExpiryMs))
      return false;
    this.#rules = rules;
    sessions.change(sessionRules(rules));
    return true;
  }
}
