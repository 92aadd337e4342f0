import type { Clock } from './clock.ts';
import type { Source } from './sources/source.ts';
import type { SamplingGroup } from './state/sampling-group.ts';

/** A group with the sources that set its values. */
export interface SampledGroup {
  readonly group: SamplingGroup;
  readonly sources: Source[];
}

interface Schedule extends SampledGroup {
  /** The next tick, in intervals since the origin: a whole number, so that no rounding makes one tick come twice. */
  tick: number;
}

export interface SamplerOptions {
  readonly clock: Clock;
  /** After a tick in which at least one group was collected. */
  readonly onCollected: () => void;
  /** A source threw, which its contract forbids. Its values stay as they were, and the other sources go on. */
  readonly onSourceError: (source: Source, error: unknown) => void;
}

/** A timer may fire a little before its time by the monotonic clock; so much early counts as due. */
const earlyMs = 1;

/**
 * Collects each group at its interval, with one timer for all. Ticks are multiples of the interval from one common origin, the
 * start: groups whose ticks coincide are collected together and share one report, and agents that start at different moments do
 * not report at the same one. Due times follow the monotonic clock, so nothing drifts; ticks missed while the machine slept or
 * the process was stopped are left out, never made up for. The wall clock is read once a tick.
 */
export class Sampler {
  readonly #clock: Clock;
  readonly #onCollected: () => void;
  readonly #onSourceError: SamplerOptions['onSourceError'];
  readonly #schedules: Schedule[] = [];
  #originMs = 0;
  #running = false;
  #cancel: (() => void) | undefined;

  constructor(options: SamplerOptions) {
    this.#clock = options.clock;
    this.#onCollected = options.onCollected;
    this.#onSourceError = options.onSourceError;
  }

  /** Takes a group in; it is sampled from the next multiple of its interval on. */
  add(sampled: SampledGroup): void {
    const now = this.#clock.monotonicMs();
    this.#schedules.push({ ...sampled, tick: this.#tickAfter(sampled.group.intervalMs, now) });
    if (this.#running) this.#arm(now);
  }

  /** Collects every group at once, and then at its interval. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#originMs = this.#clock.monotonicMs();
    for (const schedule of this.#schedules) schedule.tick = 0;
    this.#collectDue();
  }

  /** Safe before start and when repeated. */
  stop(): void {
    this.#running = false;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** One collection of every group now, outside the schedule: the last one before the agent leaves. */
  collectAll(): void {
    const timeUs = this.#clock.nowUs();
    for (const schedule of this.#schedules) this.#collect(schedule, timeUs);
  }

  #collectDue(): void {
    const now = this.#clock.monotonicMs();
    const timeUs = this.#clock.nowUs();
    let collected = false;
    for (const schedule of this.#schedules) {
      if (this.#dueMs(schedule) > now + earlyMs) continue;
      this.#collect(schedule, timeUs);
      schedule.tick = Math.max(schedule.tick + 1, this.#tickAfter(schedule.group.intervalMs, now));
      collected = true;
    }
    if (collected) this.#onCollected();
    if (this.#running) this.#arm(this.#clock.monotonicMs());
  }

  #collect({ group, sources }: SampledGroup, timeUs: number): void {
    for (const source of sources) {
      try {
        source.collect();
      } catch (error) {
        this.#onSourceError(source, error);
      }
    }
    group.timeUs = timeUs;
    group.collections++;
  }

  #dueMs({ group, tick }: Schedule): number {
    return this.#originMs + tick * group.intervalMs;
  }

  /** The first whole multiple of the interval after this moment. */
  #tickAfter(intervalMs: number, nowMs: number): number {
    return Math.floor((nowMs - this.#originMs) / intervalMs) + 1;
  }

  #arm(nowMs: number): void {
    this.#cancel?.();
    this.#cancel = undefined;
    let dueMs = Number.POSITIVE_INFINITY;
    for (const schedule of this.#schedules) dueMs = Math.min(dueMs, this.#dueMs(schedule));
    if (dueMs === Number.POSITIVE_INFINITY) return;
    this.#cancel = this.#clock.setTimeout(() => this.#collectDue(), Math.max(0, Math.ceil(dueMs - nowMs)));
  }
}
