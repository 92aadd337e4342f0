import type { Clock } from '../../otel/clock.ts';
import type { EpochFalls } from './epoch-falls.ts';
import type { FinalStates } from './final-states.ts';
import type { NotCounted } from './not-counted.ts';
import type { AgentSeries, SamplingGroup } from './sampling-group.ts';
import { seriesKey } from './series-key.ts';

/** A counter that only the agent has, where its value stands, and what collectors know of it. */
export interface KeptCounter {
  readonly group: SamplingGroup;
  readonly cell: number;
  readonly key: string;
  readonly series: AgentSeries;
  /** It was defined on a stream. */
  seen: boolean;
  /** The first report with it on the stream that it was defined on last; 0: none. */
  report: number;
  /** A report with it was acknowledged. */
  known: boolean;
  /** The collector refused it. */
  refused: boolean;
}

/** What a series becomes when it is defined. */
export interface BegunSeries {
  readonly series: AgentSeries;
  /** How often it has opened an epoch in this run. */
  readonly falls: number;
}

export interface SeriesLivesOptions {
  /** Tells this run of the agent from others. */
  readonly incarnation: string;
  readonly clock: Clock;
  readonly falls: EpochFalls;
  readonly finals: FinalStates;
  readonly notCounted: NotCounted;
  /** There are more counters than are saved. Called once. */
  readonly onTooMany?: ((limit: number) => void) | undefined;
}

/** Counters in the state file; those beyond are reported, and do not outlive the agent. */
const maxKept = 20_000;

/**
 * The lives of monotonic sums. One whose source tells an epoch is another's counter, the kernel's for the most part: of it only how often it
 * fell has to be known. One without is counted here and nowhere else: it gets an epoch of this run, and its value is *kept*, in the
 * state file and, when its life ends, as a final state.
 */
export class SeriesLives {
  /** Rises when kept counters come and go. */
  version = 0;
  readonly #options: SeriesLivesOptions;
  readonly #kept = new Map<AgentSeries, KeptCounter>();
  readonly #byKey = new Map<string, number>();
  /** Those that are not known. */
  readonly #unknown = new Set<KeptCounter>();
  #created = 0;
  #isOverfull = false;

  constructor(options: SeriesLivesOptions) {
    this.#options = options;
  }

  /** In the order in which they began. */
  get kept(): Iterable<KeptCounter> {
    return this.#kept.values();
  }

  get size(): number {
    return this.#kept.size;
  }

  get(series: AgentSeries): KeptCounter | undefined {
    return this.#kept.get(series);
  }

  /** Whether a kept counter of this key counts at present. */
  isLive(key: string): boolean {
    return this.#byKey.has(key);
  }

  /** A series is defined: gives it the life that it is in. */
  begin(series: AgentSeries, group: SamplingGroup, cell: number): BegunSeries {
    if (series.metric.kind !== 'sum' || !series.metric.isMonotonic) return { series, falls: 0 };
    const { clock, incarnation } = this.#options;
    if (series.epoch === undefined) {
      const epoch = { token: `${incarnation}.${++this.#created}`, beganMs: clock.monotonicMs() };
      const begun = { ...series, epoch, startTimeUs: series.startTimeUs || clock.nowUs() };
      this.#keep(begun, group, cell, { seen: false, refused: false });
      return { series: begun, falls: 0 };
    }
    return this.resume(series);
  }

  /** The same for a series that its source gave an epoch: how often that fell may be known from an earlier run. */
  resume(series: AgentSeries): BegunSeries {
    const { incarnation, falls } = this.#options;
    if (falls.size === 0 || series.epoch === undefined) return { series, falls: 0 };
    const { token } = series.epoch;
    const suffix = falls.suffixOf(seriesKey(series), token);
    if (suffix === undefined) return { series, falls: 0 };
    const [run, count] = suffix.split('.');
    return {
      series: { ...series, epoch: { token: `${token}#${suffix}`, beganMs: undefined }, startTimeUs: 0 },
      falls: run === incarnation ? Number(count) : 0,
    };
  }

  /**
   * A series opened a new epoch.
   * @param base the token that its source, or `begin`, gave
   * @param final the last value of the life before, when that ended with a fall
   * @returns whether the life before comes back on streams, with its final state
   */
  renewed(before: AgentSeries, after: AgentSeries, base: string, final: number | undefined): boolean {
    const counter = this.#kept.get(before);
    if (counter === undefined) {
      this.#noteFall(after, base, after.epoch!.token.slice(base.length + 1));
      return false;
    }
    const comesBack = final !== undefined && this.#end(counter, final);
    this.#forget(counter);
    this.#keep(after, counter.group, counter.cell, { seen: false, refused: false });
    return comesBack;
  }

  /** A series was retired with this value. @returns whether it comes back on streams, with its final state */
  retired(series: AgentSeries, value: number, reason: 'gone' | 'idle'): boolean {
    const { falls } = this.#options;
    const counter = this.#kept.get(series);
    if (counter !== undefined) {
      this.#forget(counter);
      return this.#end(counter, value);
    }
    if (reason === 'gone' && falls.size > 0) falls.forget(seriesKey(series));
    return false;
  }

  /** A collector has no room for the series. Taken up later, in this run or another, it is in the life behind `suffix`. */
  heldBack(series: AgentSeries, base: string, suffix: string): void {
    const counter = this.#kept.get(series);
    if (counter === undefined) {
      this.#noteFall(series, base, suffix);
      return;
    }
    counter.refused = true;
    counter.known = false;
    this.#unknown.delete(counter);
    this.version++;
  }

  /** A stream defines the series; its next report is this one. */
  defined(counter: KeptCounter, report: number): void {
    counter.seen = true;
    if (counter.known) return;
    counter.report = report;
    this.#unknown.add(counter);
  }

  /** All reports up to this one are committed. */
  acknowledged(report: number): void {
    for (const counter of this.#unknown) {
      if (counter.report > report) continue;
      counter.known = true;
      this.#unknown.delete(counter);
    }
  }

  #noteFall(series: AgentSeries, base: string, suffix: string): void {
    this.#options.falls.note({ series: seriesKey(series), base, suffix });
  }

  /** What it counted goes to a collector as its final state, unless that has refused it. */
  #end(counter: KeptCounter, value: number): boolean {
    const { series, seen, known, refused } = counter;
    const { finals, notCounted, clock } = this.#options;
    if (!refused) return finals.add({ series, value, timeUs: clock.nowUs(), seen, known });
    if (value > 0 && value < Infinity)
      notCounted.add({ metric: series.metric.name, cause: 'refused', series: 1, amount: value });
    return false;
  }

  #keep(
    series: AgentSeries,
    group: SamplingGroup,
    cell: number,
    is: Pick<KeptCounter, 'seen' | 'refused'>,
  ): void {
    if (this.#kept.size >= maxKept) {
      if (!this.#isOverfull) this.#options.onTooMany?.(maxKept);
      this.#isOverfull = true;
      return;
    }
    const key = seriesKey(series);
    this.#kept.set(series, { group, cell, key, series, report: 0, known: false, ...is });
    this.#byKey.set(key, (this.#byKey.get(key) ?? 0) + 1);
    this.version++;
  }

  #forget(counter: KeptCounter): void {
    this.#kept.delete(counter.series);
    this.#unknown.delete(counter);
    const others = this.#byKey.get(counter.key)! - 1;
    if (others > 0) this.#byKey.set(counter.key, others);
    else this.#byKey.delete(counter.key);
    this.version++;
  }
}
