import { type Attributes, attributesKey } from '../../otel/model/attributes.ts';
import { metricKey } from '../../otel/model/metric.ts';
import type { CatalogueSeries } from './catalogue.ts';
import { stalenessMs, views } from './catalogue-views.ts';
import { ModelOutputs } from './model-outputs.ts';
import { showPassing } from './model-passing.ts';
import { type ModelMember, type ModelReader, ModelSeries } from './model-series.ts';
import { outputsOf } from './model-views.ts';
import type { Shown, ShownPoints } from './shown-points.ts';

export const evictionUs = 86_400_000_000;
const hourUs = 3_600_000_000;
const minuteUs = 60_000_000;
/** How long a point stays whose series are all gone. */
const expiryUs = 86_400_000_000;
/** Silent for so long, a member has left every output. */
export const longestStalenessUs =
  1000 * Math.max(stalenessMs, ...views.map(({ stream }) => stream.stalenessMs ?? 0));

/** Members with their series, whoever tells of them, and what leaves of them. */
export class ModelMembers {
  horizonUs: number;
  readonly readers: ModelReader[] = [];
  /** By member and metric, what was counted and what was set aside of counters: values of sums, counts of histograms. */
  readonly booked = new Map<string, { counted: number; baseline: number }>();
  readonly byId = new Map<string, ModelMember>();
  /** Those included that have ended and are not yet freed. */
  readonly series = new Set<ModelSeries>();
  readonly outputs: ModelOutputs;
  /** When points without series are looked for next. */
  #lookUs: number;

  constructor(birthUs: number) {
    this.horizonUs = birthUs;
    this.#lookUs = birthUs;
    this.outputs = new ModelOutputs(birthUs);
  }

  /** The member with this id, made when it is new. */
  join(id: string, resource: Attributes, nowUs: number): ModelMember {
    let member = this.byId.get(id);
    if (member === undefined) {
      const times = { heardUs: nowUs, reportedUs: -Infinity };
      member = { id, resource, series: new Map(), groups: new Map(), ...times, isPresent: false };
      this.byId.set(id, member);
    }
    return member;
  }

  /** How many series a member holds, those included that have ended and wait for readers. */
  slotsOf(member: ModelMember): number {
    let slots = 0;
    for (const series of this.series) if (series.member === member) slots++;
    return slots;
  }

  newSeries(series: ModelSeries): ModelSeries {
    this.series.add(series);
    this.outputs.attach(series, this.horizonUs);
    return series;
  }

  book({ member, of }: ModelSeries): { counted: number; baseline: number } {
    const key = `${member.id} ${of.metric.name}`;
    const booked = this.booked.get(key) ?? { counted: 0, baseline: 0 };
    this.booked.set(key, booked);
    return booked;
  }

  /** The member's resource changed: its own series end where they were, and go on where it is now. */
  moveTo(member: ModelMember, resource: Attributes, nowUs: number): void {
    member.resource = resource;
    for (const [key, series] of [...member.series]) {
      if (series.of.isForeign) continue;
      if (series.isEnded) {
        member.series.delete(key);
        continue;
      }
      series.end(nowUs);
      const moved = new ModelSeries({ ...series, of: series.of, resource });
      moved.moveFrom(series);
      member.series.set(key, this.newSeries(moved));
    }
  }

  /** Silent for long: the horizon moves to where it left. */
  evictSeries(series: ModelSeries, nowUs: number): void {
    if (series.history === undefined || series.held !== undefined)
      this.horizonUs = Math.max(this.horizonUs, series.leftUs + 1_000_000);
    series.end(nowUs);
  }

  /** All of a member's series leave gauges and up-down sums. */
  leave(member: ModelMember, nowUs: number): void {
    member.isPresent = false;
    for (const series of member.series.values()) series.leave(nowUs);
  }
  /** A member that was silent for long is freed, and the horizon moves to when it was heard last. */
  evict(member: ModelMember, nowUs: number): void {
    if (member.series.size > 0) this.horizonUs = Math.max(this.horizonUs, member.heardUs);
    for (const series of member.series.values()) series.end(nowUs);
    this.byId.delete(member.id);
  }

  /**
   * Lets go of ended series whose last state every reader has delivered, or that waited for an hour; and then or each minute of points that
   * have had no series for a day.
   */
  sweep(nowUs: number): void {
    const beforeUs = Math.max(Math.min(nowUs, ...this.readers.map((r) => r.deliveredUs)), nowUs - hourUs);
    let freed = 0;
    for (const series of this.series) {
      if (!series.isEnded || series.leftUs >= beforeUs) continue;
      freed++;
      this.series.delete(series);
      for (const [key, known] of series.member.series) if (known === series) series.member.series.delete(key);
      this.outputs.free(series, nowUs);
    }
    if (freed === 0 && nowUs < this.#lookUs) return;
    this.#lookUs = nowUs + minuteUs;
    this.outputs.sweep(Math.min(beforeUs, nowUs - expiryUs), this.horizonUs, nowUs);
  }

  /** The readers that look at the gauge over time. */
  windowsOf({ of: { metric } }: ModelSeries): readonly ModelReader[] {
    const isWatched =
      metric.kind === 'gauge' && outputsOf(metric).some(({ stream }) => stream.overTime !== undefined);
    return isWatched ? this.readers : [];
  }

  collect(reader: ModelReader, nowUs: number): ShownPoints {
    const found: ShownPoints = new Map();
    const put = (name: string, point: Shown) => {
      const others = found.get(name);
      if (others === undefined) found.set(name, [point]);
      else others.push(point);
    };
    for (const series of this.series) showPassing(series, reader, nowUs, put);
    this.outputs.collect(reader, nowUs, put);
    if (reader.stays)
      for (const series of this.series)
        if (this.windowsOf(series).length > 0) series.windowOf(reader).close();
    reader.collectedUs = nowUs;
    return found;
  }
}

/** What a member knows a series by. */
export function keyOf({ metric, attributes }: CatalogueSeries): string {
  return `${metricKey(metric)} ${attributesKey(attributes)}`;
}
