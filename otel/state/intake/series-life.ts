import type { KindState } from '../kind-state.ts';
import { hasRoom } from '../member-room.ts';
import { entryOf, kindCodeOf, kindsByCode } from '../member-series.ts';
import type { Member } from '../members.ts';
import type { MetricStore } from '../metric-store.ts';
import { counting, ended, present, withoutValue } from '../series-columns.ts';
import type { DeltaIntervals } from './delta-intervals.ts';
import type { PointSeriesInput, PointSeriesRefusal, PointSeriesRules } from './point-intake.ts';
import { type PointSeries, temporalities } from './point-series.ts';

/** The holder of all series that points define. Streams count theirs from 1. */
export const pointHolder = 0xffff_ffff;

/**
 * How series of points come, stay, move and go. A series has one clock, which stays with it when its slot changes because its
 * member's resource did; its slot's holder is {@link pointHolder} until the slot is freed or a stream takes the series over.
 */
export class SeriesLife {
  readonly #store: MetricStore;
  readonly #series: PointSeries;
  readonly #intervals: DeltaIntervals;
  /** By kind code. */
  readonly #states: readonly KindState[];

  constructor(store: MetricStore, series: PointSeries, intervals: DeltaIntervals) {
    this.#store = store;
    this.#series = series;
    this.#intervals = intervals;
    this.#states = kindsByCode.map((kind) => store.stateOf(kind));
  }

  /** See PointIntake. */
  define(
    member: Member,
    input: PointSeriesInput,
    nowUs: number,
    { maxSlots, hasLiveStream }: PointSeriesRules,
  ): number | PointSeriesRefusal {
    if (member.isEvicted) return 'evicted';
    const store = this.#store;
    const state = store.stateOf(input.metric.kind);
    const { series } = state;
    const slot = this.#find(member, input, state);
    let heldUs = 0;
    if (slot !== 0) {
      const held = series.clock.get(slot);
      if (this.#series.has(held)) {
        this.#resume(state, slot, held);
        return this.#series.handleOf(held);
      }
      if ((series.status.get(slot) & present) !== 0) return 'held';
      const holder = series.holder.get(slot);
      if (hasLiveStream && holder !== 0 && holder !== pointHolder) return 'held';
      heldUs = store.timesUs[held]!;
    } else if (!hasRoom(member, maxSlots)) return 'full';
    const clock = this.#series.add(kindCodeOf(entryOf(state.kind, 1)), store.secondsAt(nowUs));
    const epoch = '';
    const defined = store.define(
      member,
      { ...input, epoch, beganAtUs: undefined, startTimeUs: 0, clock, holder: pointHolder },
      nowUs,
    );
    // Neither refusal can be: points have no epoch to be old, and what this holder holds was found above.
    this.#series.slots.set(clock, defined as number);
    if (slot !== 0) {
      this.#series.temporalities.set(clock, temporalities.foreign);
      store.timesUs[clock] = heldUs;
    }
    return this.#series.handleOf(clock);
  }

  /** See PointIntake. */
  has(member: Member, input: PointSeriesInput): boolean {
    return this.#find(member, input, this.#store.stateOf(input.metric.kind)) !== 0;
  }

  /** The series' clock, or 0 when it is not known any more or is of another kind. A series that left comes back, wherever it is now. */
  clockOf(handle: number, state: KindState): number {
    const clock = this.#series.clockOf(handle);
    if (clock === 0 || this.#stateAt(clock) !== state) return 0;
    const slot = this.#series.slots.get(clock);
    const { series } = state;
    if (!this.#holds(state, slot, clock)) return 0;
    if ((series.status.get(slot) & ended) === 0) return clock;
    const current = this.#current(state, slot, clock);
    if (current === 0) return 0;
    this.#resume(state, current, clock);
    return clock;
  }

  stateOf(handle: number): KindState | undefined {
    const clock = this.#series.clockOf(handle);
    return clock === 0 ? undefined : this.#stateAt(clock);
  }

  /** A series that has no value yet is without one anyway. */
  markWithoutValue(state: KindState, clock: number, timeUs: number): void {
    const slot = this.#series.slots.get(clock);
    const { status } = state.series;
    if ((status.get(slot) & counting) === 0) return;
    status.set(slot, status.get(slot) | withoutValue);
    this.#store.timesUs[clock] = timeUs;
  }

  retire(handle: number, reason: 'gone' | 'idle', nowUs: number): void {
    const state = this.stateOf(handle);
    const clock = state === undefined ? 0 : this.clockOf(handle, state);
    if (state === undefined || clock === 0) return;
    const slot = this.#series.slots.get(clock);
    if (reason === 'gone') this.#store.end(state, slot, nowUs);
    else this.#store.idle(state.series, slot, nowUs);
  }

  /** See PointIntake. */
  expire(nowUs: number, stalenessUs: number, evictionUs: number): boolean {
    let hasChanged = false;
    const store = this.#store;
    const staleS = store.secondsAt(nowUs - stalenessUs);
    const evictedS = store.secondsAt(nowUs - evictionUs);
    for (let clock = 1; clock < this.#series.length; clock++) {
      if (!this.#series.has(clock)) continue;
      const state = this.#stateAt(clock);
      const { series } = state;
      let slot = this.#series.slots.get(clock);
      if (!this.#holds(state, slot, clock)) {
        // The slot was freed, or it is a stream's now, under another clock.
        this.#free(clock);
        hasChanged = true;
        continue;
      }
      if ((series.status.get(slot) & ended) !== 0) {
        slot = this.#current(state, slot, clock);
        // It waits to be freed, or goes on elsewhere.
        if (slot === 0 || slot === this.#series.slots.get(clock)) continue;
        this.#resume(state, slot, clock);
        hasChanged = true;
      }
      const status = series.status.get(slot);
      if ((status & present) !== 0) {
        if (this.#series.seenAtS.get(clock) >= staleS) continue;
        store.idle(series, slot, nowUs);
      } else if (series.absentAtS.get(slot) < evictedS) this.#evict(state, slot, nowUs);
      else continue;
      hasChanged = true;
    }
    return hasChanged;
  }

  /** Whether the slot is the series' still: it may have been freed, and be another one's by now. */
  #holds({ series }: KindState, slot: number, clock: number): boolean {
    return series.holder.get(slot) === pointHolder && series.clock.get(slot) === clock;
  }

  #evict(state: KindState, slot: number, nowUs: number): void {
    const store = this.#store;
    if ((state.series.status.get(slot) & counting) !== 0) {
      // The second after it left is the first that is surely later.
      const leftUs = store.birthUs + (state.series.absentAtS.get(slot) + 1) * 1e6;
      store.horizonUs = Math.max(store.horizonUs, leftUs);
    }
    store.end(state, slot, nowUs);
  }

  #resume(state: KindState, slot: number, clock: number): void {
    const { series } = state;
    series.status.set(slot, series.status.get(slot) & ~ended);
    series.holder.set(slot, pointHolder);
    this.#series.slots.set(clock, slot);
  }

  #free(clock: number): void {
    this.#intervals.release(this.#series.intervals.get(clock));
    this.#series.free(clock);
  }

  /** Where a series is whose slot has ended: in the same slot still, in another after its member's resource changed, or nowhere (0). */
  #current(state: KindState, slot: number, clock: number): number {
    const { series } = state;
    const member = this.#store.members.at(series.member.get(slot));
    if (member === undefined || member.isEvicted) return 0;
    const definition = series.definition.get(slot);
    for (const resource of [undefined, series.resource.get(slot)]) {
      const found = member.series.slot(state.kind, definition, resource);
      if (found !== 0 && series.clock.get(found) === clock) return found;
    }
    return 0;
  }

  /** The slot of a series, or 0. */
  #find(member: Member, { scope, metric, attributes, resource }: PointSeriesInput, state: KindState): number {
    const { definitions, resources } = this.#store.references;
    const definition = definitions.acquire(scope, metric, attributes);
    const foreign = resource === undefined ? undefined : resources.acquire(resource);
    const slot = member.series.slot(state.kind, definition.number, foreign?.number);
    definitions.release(definition.number);
    if (foreign !== undefined) resources.release(foreign.number);
    return slot;
  }

  #stateAt(clock: number): KindState {
    return this.#states[this.#series.kinds.get(clock)]!;
  }
}
