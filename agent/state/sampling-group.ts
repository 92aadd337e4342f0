import type { Attributes } from '../../otel/model/attributes.ts';
import type { MetricDescription } from '../../otel/model/metric.ts';
import type { Resource } from '../../otel/model/resource.ts';
import type { InstrumentationScope } from '../../otel/model/scope.ts';
import type { Epoch } from '../../otel/stream/stream-series.ts';
import type { SeriesLives } from './series-lives.ts';

export type { Epoch } from '../../otel/stream/stream-series.ts';

/** How likely a series' value changes, in the order of the wire. */
export const changesOrder = ['often', 'sometimes', 'seldom'] as const;
export type Changes = (typeof changesOrder)[number];

/** One series of the agent: what Define says of it. */
export interface AgentSeries {
  /** `undefined`: the agent's own resource. */
  readonly resource?: Resource | undefined;
  readonly scope: InstrumentationScope;
  readonly metric: MetricDescription;
  readonly attributes: Attributes;
  /**
   * Sums only: the life of a counter that is another's, the kernel's for one, and goes on when the agent is started again. A monotonic
   * sum without is one that only this process counts, from zero when it is defined: it gets an epoch of its own, and its value is
   * kept in the agent's state file.
   */
  readonly epoch?: Epoch | undefined;
  /** When counting began by the source's own clock, microseconds since the Unix epoch; 0 or absent: unknown. */
  readonly startTimeUs?: number | undefined;
  /**
   * The step in which the values move where the source knows it (0.01 for clock ticks, 4096 for pages), so that the wire can
   * count steps: a power of ten or of two. A hint only; any value is sent exactly.
   */
  readonly step?: number | undefined;
  /**
   * How likely the value is another one at each sampling: `often`, on a quiet machine too; `sometimes`, the default; `seldom`. A hint
   * only: series that change together stand together on the wire, where a run of unchanged ones costs a byte.
   */
  readonly changes?: Changes | undefined;
  /** Monotonic sums: a fall of up to this much is the kernel's rounding, and the higher value is held. 0 or absent: any fall opens a new epoch. */
  readonly fallTolerance?: number | undefined;
}

/** Why a series is no longer reported. Gone: its epoch never returns. Idle: it cannot be read at present. */
export type RetireReason = 'gone' | 'idle';

interface Slot {
  series: AgentSeries;
  /** The token before any fall. */
  readonly base: string;
  /** Epochs opened in this run. */
  falls: number;
}

/**
 * The series that are sampled together, and their current values: the agent's whole state. A source defines a series once, gets
 * a cell, and from then on sets the cell's value in place. The uplink reads the cells when it cuts a report. Cells of retired
 * series are used again.
 *
 * Layout: `values[cell]` and `present[cell]`; `series[cell]` is `undefined` while the cell is free. `version` rises whenever
 * series come, go or change their epoch, so that a reader that has seen a version needs to look at the values only.
 */
export class SamplingGroup {
  readonly number: number;
  readonly intervalMs: number;
  values = new Float64Array(64);
  version = 0;
  /** When the values were read: microseconds since the Unix epoch. 0: not yet. */
  timeUs = 0;
  /** Counts the collections, so that an uplink knows whether there is something to report. */
  collections = 0;
  readonly #incarnation: string;
  readonly #lives: SeriesLives | undefined;
  readonly #slots: (Slot | undefined)[] = [];
  readonly #free: number[] = [];
  /** Why a series left, until the uplink has asked. */
  readonly #reasons = new WeakMap<AgentSeries, RetireReason>();

  /** @param lives who knows the lives of counters from other runs, and keeps those of this one */
  constructor(number: number, intervalMs: number, incarnation: string, lives?: SeriesLives) {
    this.number = number;
    this.intervalMs = intervalMs;
    this.#incarnation = incarnation;
    this.#lives = lives;
  }

  /** Cells in use and free: every cell is below this. */
  get cells(): number {
    return this.#slots.length;
  }

  /** The series in a cell, or `undefined` when it is free. A series that opens a new epoch becomes a new object. */
  seriesAt(cell: number): AgentSeries | undefined {
    return this.#slots[cell]?.series;
  }

  reasonOf(series: AgentSeries): RetireReason {
    return this.#reasons.get(series) ?? 'gone';
  }

  /** Takes a series in and gives its cell. Its value is 0 until set. */
  define(series: AgentSeries): number {
    const cell = this.#free.pop() ?? this.#slots.length;
    const begun = this.#lives?.begin(series, this, cell) ?? { series, falls: 0 };
    const base = series.epoch?.token ?? begun.series.epoch?.token ?? '';
    this.#slots[cell] = { series: begun.series, base, falls: begun.falls };
    if (cell >= this.values.length) {
      const grown = new Float64Array(this.values.length * 2);
      grown.set(this.values);
      this.values = grown;
    }
    this.values[cell] = 0;
    this.version++;
    return cell;
  }

  /** Sets the value of a gauge or of a sum that may fall. */
  set(cell: number, value: number): void {
    this.values[cell] = value;
  }

  /** Sets the value of a monotonic sum. A fall within the series' tolerance is held; a greater one opens a new epoch. */
  setCounter(cell: number, value: number): void {
    const held = this.values[cell]!;
    if (value < held) {
      if (held - value <= (this.#slots[cell]!.series.fallTolerance ?? 0)) return;
      this.#renew(cell, held);
    }
    this.values[cell] = value;
  }

  /** Gives the series in a cell a new life, because the collector refused its epoch, or refused it and takes it up now. */
  openEpoch(cell: number): void {
    this.#renew(cell, undefined);
  }

  /** The collector has no room for the series in a cell: when it has, `openEpoch` is called, by this run or a later one. */
  heldBack(cell: number): void {
    const slot = this.#slots[cell];
    if (slot !== undefined && isCounter(slot.series))
      this.#lives?.heldBack(slot.series, slot.base, `${this.#incarnation}.${slot.falls + 1}`);
  }

  /** What was defined before the lives of an earlier run were known takes them up. */
  resumeLives(): void {
    for (const [cell, slot] of this.#slots.entries()) {
      if (slot === undefined || slot.falls > 0 || !isCounter(slot.series)) continue;
      const { series, falls } = this.#lives?.resume(slot.series) ?? slot;
      if (series === slot.series) continue;
      this.#slots[cell] = { ...slot, series, falls };
      this.version++;
    }
  }

  retire(cell: number, reason: RetireReason): void {
    const slot = this.#slots[cell];
    if (slot === undefined) return;
    const comesBack = isCounter(slot.series) && this.#lives?.retired(slot.series, this.values[cell]!, reason);
    this.#reasons.set(slot.series, comesBack ? 'idle' : reason);
    this.#slots[cell] = undefined;
    this.#free.push(cell);
    this.version++;
  }

  /**
   * When a new life began is not known. Its token holds the incarnation, so that no later run of the agent makes the same one by itself.
   * @param final the last value of the life before, when it ended with a fall
   */
  #renew(cell: number, final: number | undefined): void {
    const slot = this.#slots[cell]!;
    const falls = slot.falls + 1;
    const epoch = { token: `${slot.base}#${this.#incarnation}.${falls}`, beganMs: undefined };
    const series = { ...slot.series, epoch, startTimeUs: 0 };
    this.#slots[cell] = { series, base: slot.base, falls };
    const comesBack = this.#lives?.renewed(slot.series, series, slot.base, final);
    this.#reasons.set(slot.series, comesBack ? 'idle' : 'gone');
    this.version++;
  }
}

const isCounter = ({ metric }: AgentSeries): boolean => metric.kind === 'sum' && metric.isMonotonic;
