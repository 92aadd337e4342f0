import { StreamgaugeError } from '../../proto/error.ts';
import type { Refuse, Welcome } from '../../proto/messages/collector-message.ts';
import type { GroupColumns } from '../../proto/report/group-columns.ts';
import { StreamColumns } from '../../proto/report/stream-columns.ts';
import { encodeReport } from '../../proto/report/write-report.ts';
import type { Clock } from '../clock.ts';
import { DefineBatches } from '../stream/define-batches.ts';
import type { HeldSeries } from '../stream/held-series.ts';
import type { StreamReporter, StreamWriter } from '../stream/stream-content.ts';
import type { StreamSeries } from '../stream/stream-series.ts';
import type { StreamCounters } from '../stream/stream-status.ts';
import { GroupValues } from './group-values.ts';
import type { ServiceLife } from './service-life.ts';
import type { ServiceSeries } from './service-series.ts';
import { type ServiceState, serviceGroup } from './service-state.ts';

/** Definitions in one message, about. */
const defineBytes = 256 * 1024;
/** Series numbers in one Retire. */
const retireNumbers = 32_768;
/** A series that found no room on the stream is tried again after so long. */
const noRoomRetryMs = 60_000;
/** No delay that a collector names holds a series or reports longer than this. */
const maxDelayMs = 60 * 60_000;
/** Definitions that are no longer used stay until the stream ends; beyond so many, and four times the series, it should. */
const maxTold = 65_536;

/** What the collector must offer for a kind of series beyond version 1. */
const capabilityOf: Readonly<Record<string, string>> = { exponential_histogram: 'exponential_histogram' };
export const serviceCapabilities: readonly string[] = Object.values(capabilityOf);

export interface ServiceReportsOptions extends StreamWriter {
  readonly state: ServiceState;
  readonly held: HeldSeries;
  readonly counters: StreamCounters;
  readonly clock: Clock;
  readonly welcome: Welcome;
  /** When Welcome came, by the monotonic clock. */
  readonly welcomeMs: number;
  /** A report with this collection was sent. */
  readonly onCut: (report: number, collection: number) => void;
  /** Values were refused, or a series cannot be sent; once for each message. */
  readonly onRefused: (what: string, refuse: Refuse | undefined, series: StreamSeries | undefined) => void;
}

/** What one stream says of a service: which series has which number, and the reports. Each number is attached to its series' slot. */
export class ServiceReports implements StreamReporter {
  readonly #options: ServiceReportsOptions;
  readonly #columns = new StreamColumns();
  readonly #defines: DefineBatches;
  readonly #values: GroupValues;
  /** By slot: the life that its number stands for, and that number; 0 and `undefined` where it has none. */
  readonly #lives: (ServiceLife | undefined)[] = [];
  readonly #numbers: number[] = [];
  readonly #slots = new Map<number, number>();
  /** Lives that this stream is not to hear of again. */
  readonly #excluded = new WeakSet<ServiceLife>();
  /** The state's version that the numbers stand for; -1: look at all slots again. */
  #version = -1;
  #collections = 0;
  /** When the first held series may be sent, by the monotonic clock. */
  #retryAtMs = Number.POSITIVE_INFINITY;

  constructor(options: ServiceReportsOptions) {
    this.#options = options;
    const { limits } = options.welcome;
    this.#defines = new DefineBatches(
      Math.min(defineBytes, limits.maxMessageBytes || defineBytes),
      options.welcomeMs,
    );
    this.#values = new GroupValues(options.state);
  }

  get series(): number {
    return this.#columns.size;
  }

  get isOvergrown(): boolean {
    return this.#defines.told > Math.max(maxTold, 4 * this.series);
  }

  /** Series of the state that this stream does not report. */
  get leftOut(): number {
    return this.#options.state.size - this.series;
  }

  cut(): void {
    const { state, counters, clock, writeReport, onCut } = this.#options;
    const nowMs = clock.monotonicMs();
    if (nowMs >= this.#retryAtMs) {
      this.#retryAtMs = Number.POSITIVE_INFINITY;
      this.#version = -1;
    }
    if (state.collections === this.#collections && this.#version === state.version) return;
    if (this.#version !== state.version) this.#follow(nowMs);
    this.#collections = state.collections;
    const group = this.#columns.groups.get(serviceGroup);
    if (group === undefined || group.places === 0) {
      // Nothing that could be reported is a whole report, too.
      onCut(counters.lastReport, state.collections);
      return;
    }
    const bytes = this.#encode(group);
    if (bytes === undefined) return;
    counters.reports++;
    counters.points += group.places;
    counters.reportBytes += bytes.length;
    writeReport(bytes);
    onCut(counters.lastReport, state.collections);
  }

  refused(refuse: Refuse): number | undefined {
    const { clock, counters, onRefused } = this.#options;
    const { kind, series, retryDelayMs } = refuse;
    counters.refused[kind] += Math.max(1, series.length);
    const untilMs =
      retryDelayMs === undefined ? undefined : clock.monotonicMs() + Math.min(retryDelayMs, maxDelayMs);
    let first: StreamSeries | undefined;
    for (const number of series) {
      const slot = this.#slots.get(number);
      // A number that was retired meanwhile: what was refused is no longer sent.
      if (slot === undefined) continue;
      first ??= this.#lives[slot];
      this.#refusedAt(refuse, slot, untilMs);
    }
    onRefused(series.length === 0 ? 'a report' : `${series.length} of its series`, refuse, first);
    return kind === 'limit' && series.length === 0 ? untilMs : undefined;
  }

  #refusedAt({ kind }: Refuse, slot: number, untilMs: number | undefined): void {
    const { state, held } = this.#options;
    const life = this.#lives[slot]!;
    switch (kind) {
      case 'epoch_fell':
      case 'epoch_old': {
        // The slot may hold a later life already.
        const series = state.seriesAt(slot);
        if (series?.life === life && life.epoch !== undefined) state.openEpoch(series);
        return;
      }
      case 'limit':
        held.hold(life, this, untilMs);
        this.#retryAtMs = Math.min(this.#retryAtMs, untilMs ?? Number.POSITIVE_INFINITY);
        this.#retire([slot], 'idle');
        return;
      case 'invalid':
      case 'unspecified':
        this.#excluded.add(life);
        this.#retire([slot], 'idle');
        return;
      case 'not_finite':
        return;
    }
  }

  /** Retires what has gone, and defines what has come. */
  #follow(nowMs: number): void {
    const { state } = this.#options;
    const gone: number[] = [];
    const away: number[] = [];
    for (let slot = 0; slot < this.#lives.length; slot++) {
      const life = this.#lives[slot];
      if (life === undefined) continue;
      const series = state.seriesAt(slot);
      if (series?.life === life) continue;
      // Another life of the same series takes its place: the one before never returns.
      (series?.life.isOfSeriesOf(life) ? gone : away).push(slot);
    }
    this.#retire(gone, 'gone');
    this.#retire(away, 'idle');
    for (let slot = 0; slot < state.slots; slot++) {
      const series = state.seriesAt(slot);
      if (series !== undefined && this.#lives[slot] === undefined) this.#define(series, nowMs);
      // Definitions as objects take much memory: no more of them than a message holds.
      if ((slot & 255) === 255) this.#writeDefines();
    }
    this.#writeDefines();
    // Opening an epoch for a series that is held no longer has raised it.
    this.#version = state.version;
  }

  #writeDefines(): void {
    for (const define of this.#defines.take()) this.#options.writeControl(define);
  }

  #define(series: ServiceSeries, nowMs: number): void {
    const { state, held } = this.#options;
    if (this.#excluded.has(series.life)) return;
    const untilMs = held.untilMs(series.life, this);
    if (untilMs !== undefined) {
      if (untilMs > nowMs) {
        this.#retryAtMs = Math.min(this.#retryAtMs, untilMs);
        return;
      }
      held.release(series.life);
      // What was counted while the collector had no room for it is booked nowhere there.
      if (series.life.metric.kind !== 'gauge') state.openEpoch(series);
    }
    const { life, slot } = series;
    const { kind } = life.metric;
    // Made once: its attributes are made canonical each time that they are asked for.
    const told: StreamSeries = {
      resource: life.resource,
      scope: life.scope,
      metric: life.metric,
      attributes: life.attributes,
      epoch: life.epoch,
      startTimeUs: life.startTimeUs,
    };
    const fault = this.#faultOf(told);
    if (fault !== undefined) {
      this.#options.counters.leftOut++;
      if (fault.isForNow) {
        held.hold(life, this, nowMs + noRoomRetryMs);
        this.#retryAtMs = Math.min(this.#retryAtMs, nowMs + noRoomRetryMs);
      } else this.#excluded.add(life);
      this.#options.onRefused(fault.what, undefined, life);
      return;
    }
    const number = this.#columns.lastNumber + 1;
    const { explicitBounds, hasSum, hasMin, hasMax } = life.metric;
    this.#columns.define({
      number,
      group: serviceGroup,
      kind,
      attached: slot,
      buckets: explicitBounds.length + 1,
      hasSum,
      hasMin,
      hasMax,
    });
    this.#defines.add(number, serviceGroup, told);
    this.#lives[slot] = life;
    this.#numbers[slot] = number;
    this.#slots.set(number, slot);
  }

  #faultOf(told: StreamSeries): { readonly what: string; readonly isForNow: boolean } | undefined {
    const { capabilities, limits } = this.#options.welcome;
    const { kind, explicitBounds } = told.metric;
    const capability = capabilityOf[kind];
    if (capability !== undefined && !capabilities.includes(capability))
      return { what: `the collector takes no series of the kind ${kind}`, isForNow: false };
    if (!this.#defines.fits(told))
      return {
        what: 'its name, attributes, scope and resource are too long for one message',
        isForNow: false,
      };
    const { cells, maxCells, size } = this.#columns;
    const needed = kind === 'histogram' ? explicitBounds.length + 4 : 16;
    if ((limits.maxSeries > 0 && size >= limits.maxSeries) || cells + needed > maxCells)
      return { what: `the stream has ${size} series, as many as it may have`, isForNow: true };
    return undefined;
  }

  #retire(slots: readonly number[], reason: 'gone' | 'idle'): void {
    if (slots.length === 0) return;
    const series = slots.map((slot) => this.#numbers[slot]!).sort((a, b) => a - b);
    for (const slot of slots) {
      this.#slots.delete(this.#numbers[slot]!);
      this.#numbers[slot] = 0;
      this.#lives[slot] = undefined;
    }
    this.#columns.retire(series);
    for (let at = 0; at < series.length; at += retireNumbers)
      this.#options.writeControl({ type: 'retire', series: series.slice(at, at + retireNumbers), reason });
    this.#version = -1;
  }

  /** The bytes of a report. `undefined`: exponential histograms have grown beyond what a stream may hold, and were left out. */
  #encode(group: GroupColumns): Uint8Array | undefined {
    const { counters, onRefused } = this.#options;
    for (;;) {
      try {
        const bytes = encodeReport(this.#columns, [this.#values.of(group)], counters.lastReport + 1);
        counters.lastReport++;
        return bytes;
      } catch (thrown) {
        const error = StreamgaugeError.from(thrown);
        const { scales } = group.exponentialHistograms;
        if (error.kind !== 'overloaded' || scales.size === 0) throw error;
        // The one that came last goes, until the others fit.
        const slot = scales.attached[scales.size - 1]!;
        const life = this.#lives[slot]!;
        this.#excluded.add(life);
        this.#retire([slot], 'idle');
        counters.leftOut++;
        onRefused(error.message, undefined, life);
        if (group.places === 0) return undefined;
      }
    }
  }
}
