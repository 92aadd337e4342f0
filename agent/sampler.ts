import type { Clock } from '../otel/clock.ts';
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
  /** It is not collected again after the next time. */
  isLast: boolean;
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
 * A tick that is off its time by at most this part of the interval, and at most so much, bears the time it should have had: at steady
 * times a report needs no bytes for its time, and reading the values takes as long. Prometheus aligns its scrapes likewise.
 */
const alignWithin = 1 / 200;
const maxAlignUs = 5000;

/** After so many ticks in a row that were off, the wall clock has moved, and the ticks have other times from then on. */
const offTicks = 3;

/**
 * Collects each group at its interval, with one timer for all. Ticks are multiples of the interval from one common origin, the
 * start: groups whose ticks coincide are collected together and share one report, and agents that start at different moments do
 * not report at the same one. Due times follow the monotonic clock, so nothing drifts; ticks missed while the machine slept or
 * the process was stopped are left out, never made up for. The wall clock is read once a tick, and aligned where it is off by little.
 */
export class Sampler {
  readonly #clock: Clock;
  readonly #onCollected: () => void;
  readonly #onSourceError: SamplerOptions['onSourceError'];
  #schedules: Schedule[] = [];
  #originMs = 0;
  /** The origin by the wall clock, in microseconds. */
  #originUs = 0;
  /** Ticks in a row that were too far off to be aligned. */
  #off = 0;
  /** The time of the last tick. */
  #lastUs = 0;
  #running = false;
  #cancel: (() => void) | undefined;

  constructor(options: SamplerOptions) {
    this.#clock = options.clock;
    this.#onCollected = options.onCollected;
    this.#onSourceError = options.onSourceError;
  }

  /** Takes a group in, unless it is there; it is sampled from the next multiple of its interval on. */
  add(sampled: SampledGroup): void {
    const known = this.#schedules.find(({ group }) => group === sampled.group);
    if (known !== undefined) {
      known.isLast = false;
      return;
    }
    const now = this.#clock.monotonicMs();
    this.#schedules.push({ ...sampled, isLast: false, tick: this.#tickAfter(sampled.group.intervalMs, now) });
    if (this.#running) this.#arm(now);
  }

  /** A group has lost its last source: it is collected once more, so that what that has retired is told. */
  remove(group: SamplingGroup): void {
    const schedule = this.#schedules.find((one) => one.group === group);
    if (schedule !== undefined) schedule.isLast = true;
  }

  /** Collects every group at once, and then at its interval. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#originMs = this.#clock.monotonicMs();
    this.#originUs = this.#clock.nowUs();
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
    const nowUs = this.#clock.nowUs();
    // The last tick may have been aligned to a moment that is still to come.
    const timeUs = nowUs <= this.#lastUs && this.#lastUs - nowUs < maxAlignUs ? this.#lastUs + 1 : nowUs;
    for (const schedule of this.#schedules) this.#collect(schedule, timeUs);
  }

  #collectDue(): void {
    const now = this.#clock.monotonicMs();
    const due = this.#schedules.filter((schedule) => this.#dueMs(schedule) <= now + earlyMs);
    const timeUs = this.#timeUs(due);
    this.#lastUs = timeUs;
    for (const schedule of due) {
      this.#collect(schedule, timeUs);
      schedule.tick = Math.max(schedule.tick + 1, this.#tickAfter(schedule.group.intervalMs, now));
    }
    if (due.some(({ isLast }) => isLast))
      this.#schedules = this.#schedules.filter((schedule) => !schedule.isLast || !due.includes(schedule));
    if (due.length > 0) this.#onCollected();
    if (this.#running) this.#arm(this.#clock.monotonicMs());
  }

  /** The time that groups which are due together bear. */
  #timeUs(due: readonly Schedule[]): number {
    const nowUs = this.#clock.nowUs();
    let intervalMs = Number.POSITIVE_INFINITY;
    let dueMs = 0;
    for (const schedule of due) {
      intervalMs = Math.min(intervalMs, schedule.group.intervalMs);
      dueMs = Math.max(dueMs, this.#dueMs(schedule));
    }
    if (due.length === 0) return nowUs;
    const dueUs = this.#originUs + Math.round((dueMs - this.#originMs) * 1000);
    if (Math.abs(nowUs - dueUs) <= Math.min(maxAlignUs, intervalMs * 1000 * alignWithin)) {
      this.#off = 0;
      // After a tick that came almost an interval late, the aligned time could be before it.
      return dueUs <= this.#lastUs ? nowUs : dueUs;
    }
    if (++this.#off === offTicks) {
      this.#originUs += nowUs - dueUs;
      this.#off = 0;
    }
    return nowUs;
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
