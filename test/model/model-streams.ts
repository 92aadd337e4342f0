import type { Attributes } from '../../otel/model/attributes.ts';
import { attributesKey } from '../../otel/model/attributes.ts';
import type { CatalogueSeries } from './catalogue.ts';
import { evictionUs, keyOf, longestStalenessUs, type ModelMembers } from './model-members.ts';
import { type ModelMember, ModelSeries } from './model-series.ts';
import { countOf, goesOn, isCounter, isExponential, isSame, type Reading, zeroOf } from './model-values.ts';

/** A series on a stream; refused ones have a place, and go nowhere. */
interface Held {
  readonly series: ModelSeries | undefined;
  isSettled: boolean;
  /** Its first value could not be taken: it is looked at again when it changes. */
  isTurnedAway: boolean;
  /** The stream's last report had no recorded value for it. */
  isFlagged: boolean;
  /** What the stream's columns hold: the last value that was sent, taken or not. */
  raw: Reading['value'];
}

interface Stream {
  readonly member: ModelMember;
  readonly held: Map<number, Held>;
  /** Series that its member may hold, ended ones included. */
  readonly maxSlots: number;
  expireUs: number;
}

const hourUs = 3_600_000_000;

/** What agents tell by streams: docs/protocol.md, and docs/architecture.md, "State". */
export class ModelStreams {
  readonly rejected = { epoch_fell: 0, not_finite: 0, negative: 0, out_of_range: 0 };
  readonly refused = { epoch_old: 0, invalid: 0, limit: 0 };
  /** First values that were set aside. */
  baselines = 0;
  /** Series that a stream may define. */
  maxSeries = Infinity;
  readonly #members: ModelMembers;
  readonly #streams = new Map<string, Stream>();

  constructor(members: ModelMembers) {
    this.#members = members;
  }

  has(id: string): boolean {
    return this.#streams.has(id);
  }

  connect(id: string, resource: Attributes, nowUs: number): void {
    const member = this.#members.join(id, resource, nowUs);
    member.heardUs = nowUs;
    if (attributesKey(member.resource) !== attributesKey(resource))
      this.#members.moveTo(member, resource, nowUs);
    this.#streams.set(id, {
      member,
      held: new Map(),
      maxSlots: 4 * this.maxSeries,
      expireUs: nowUs + longestStalenessUs,
    });
  }

  /** Whether a member with yet another resource would hold too many series, those included that wait where it was before. */
  movesTooOften(id: string, resource: Attributes): boolean {
    const member = this.#members.byId.get(id);
    if (member === undefined || attributesKey(member.resource) === attributesKey(resource)) return false;
    return this.#members.slotsOf(member) + member.series.size > 4 * this.maxSeries;
  }

  disconnect(id: string): void {
    this.#streams.delete(id);
  }

  /** Gives why the series is refused, if it is. */
  define(
    id: string,
    number: number,
    of: CatalogueSeries,
    epoch: string,
    beganAtUs: number | undefined,
    startUs: number,
    nowUs: number,
    foreign: Attributes,
  ): keyof ModelStreams['refused'] | undefined {
    const stream = this.#streams.get(id)!;
    const { member } = stream;
    const clock = member.groups.get(of.group) ?? { timeUs: 0 };
    member.groups.set(of.group, clock);
    const raw = zeroOf(of.metric);
    const refuse = (cause: keyof ModelStreams['refused']) => {
      this.refused[cause]++;
      stream.held.set(number, {
        series: undefined,
        isSettled: false,
        isTurnedAway: false,
        isFlagged: false,
        raw,
      });
      return cause;
    };
    if (stream.held.size >= this.maxSeries) return refuse('limit');
    const beganAfterHorizon = beganAtUs !== undefined && beganAtUs > this.#members.horizonUs;
    const key = keyOf(of);
    let series = member.series.get(key);
    if (series === undefined) {
      if (this.#members.slotsOf(member) >= stream.maxSlots) return refuse('limit');
      const resource = of.isForeign ? foreign : member.resource;
      const given = { of, member, resource, epoch, beganAfterHorizon, startUs, clock, leftUs: nowUs };
      series = this.#members.newSeries(new ModelSeries(given));
      member.series.set(key, series);
    } else {
      for (const held of stream.held.values()) if (held.series === series) return refuse('invalid');
      if (epoch === series.epoch) {
        series.isEnded = false;
        if (series.startUs === 0) series.startUs = startUs;
      } else if (epoch === series.previousEpoch) return refuse('epoch_old');
      else {
        series.previousEpoch = series.epoch;
        series.epoch = epoch;
        series.startUs = startUs !== 0 && startUs !== series.startUs ? startUs : series.clock.timeUs;
        series.leave(nowUs);
        series.beginEpoch();
        Object.assign(series, { isEnded: false, isFlagged: false, beganAfterHorizon });
      }
      series.clock = clock;
      series.isAway = true;
    }
    stream.held.set(number, { series, isSettled: false, isTurnedAway: false, isFlagged: false, raw });
    return undefined;
  }

  /** A report of one group; `undefined` for a series without a recorded value. */
  report(
    id: string,
    group: number,
    timeUs: number,
    readings: ReadonlyMap<number, Reading | undefined>,
    nowUs: number,
  ): void {
    const stream = this.#streams.get(id)!;
    const { member } = stream;
    member.heardUs = nowUs;
    member.reportedUs = nowUs;
    member.isPresent = true;
    const clock = member.groups.get(group);
    if (clock !== undefined) clock.timeUs = timeUs;
    for (const [number, reading] of readings) {
      const held = stream.held.get(number);
      if (held?.series !== undefined) this.#reported(held, held.series, reading, timeUs);
    }
  }

  #reported(held: Held, series: ModelSeries, reading: Reading | undefined, timeUs: number): void {
    if (held.isSettled) series.isPresent = true;
    if (held.isSettled || held.isFlagged) series.isFlagged = false;
    held.isFlagged = reading === undefined;
    if (reading === undefined) {
      series.isFlagged = true;
      for (const reader of this.#members.windowsOf(series)) series.windowOf(reader).skip(timeUs);
      return;
    }
    const { value, min, max } = reading;
    const isFirst = !held.isSettled && !held.isTurnedAway;
    const isNews = isFirst || !isSame(value, held.raw);
    held.raw = value;
    if (isNews && !this.#take(series, value)) {
      held.isTurnedAway = !held.isSettled;
      return;
    }
    if (held.isTurnedAway && !isNews) return;
    held.isTurnedAway = false;
    held.isSettled = true;
    Object.assign(series, { isPresent: true, isFlagged: false, isEnded: false });
    series.takeRange(min, max);
    for (const reader of this.#members.windowsOf(series))
      series.windowOf(reader).report((value as readonly number[])[0], timeUs, series.isAway);
    series.isAway = false;
  }

  retire(id: string, number: number, reason: 'gone' | 'idle', nowUs: number): void {
    const stream = this.#streams.get(id)!;
    const series = stream.held.get(number)?.series;
    stream.held.delete(number);
    if (reason === 'gone') series?.end(nowUs);
    else series?.leave(nowUs);
  }

  goodbye(id: string, nowUs: number): void {
    this.#members.leave(this.#streams.get(id)!.member, nowUs);
    this.disconnect(id);
  }

  /** What a member told on an earlier stream and not on this one leaves after the staleness, and is looked at each hour from then on. */
  tick(nowUs: number): void {
    for (const stream of this.#streams.values()) {
      if (nowUs < stream.expireUs) continue;
      stream.expireUs = nowUs + hourUs;
      const held = new Set([...stream.held.values()].map(({ series }) => series));
      for (const series of stream.member.series.values()) {
        if (held.has(series) || series.isEnded) continue;
        if (series.isPresent) series.leave(nowUs);
        else if (series.leftUs < nowUs - evictionUs) this.#members.evictSeries(series, nowUs);
      }
    }
  }

  /** Takes a value of a stream if it may be taken, and counts it. */
  #take(series: ModelSeries, value: Reading['value']): boolean {
    const { metric } = series.of;
    const held = series.held ?? zeroOf(metric);
    if (metric.kind === 'sum' && !isExponential(value)) {
      if (!Number.isFinite(value[0])) {
        this.rejected.not_finite++;
        return false;
      }
      if (metric.isMonotonic && value[0] < 0 && (held as readonly number[])[0] === 0) {
        this.rejected.negative++;
        return false;
      }
    }
    if ((isCounter(metric) || metric.kind === 'summary') && !goesOn(metric, value, held)) {
      this.rejected.epoch_fell++;
      return false;
    }
    if (!isCounter(metric)) {
      series.held = value;
      return true;
    }
    if (series.held !== undefined || series.beganAfterHorizon) {
      const increment = series.held === undefined ? series.takeFirst(value, true) : series.takeNext(value);
      this.#members.book(series).counted += countOf(metric, increment);
      return true;
    }
    series.takeFirst(value, false);
    const amount = countOf(metric, value);
    if (amount > 0) this.baselines++;
    this.#members.book(series).baseline += amount;
    return true;
  }
}
