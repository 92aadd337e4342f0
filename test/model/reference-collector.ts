import { type Attributes, attributes, attributesKey } from '../../otel/model/attributes.ts';
import { type CatalogueSeries, type ModelView, modelViews } from './catalogue.ts';

/*
 * What the collector promises, in plain objects and by events: totals are added up increment by increment as values come in, where the
 * engine adds columns up at collection. Written from the design. Times are microseconds; all that happens has a second of its own.
 */

export interface ModelPoint {
  readonly value: number | readonly number[];
  readonly startUs: number;
  readonly timeUs: number;
  readonly isWithoutValue: boolean;
}

export interface ModelReader {
  readonly temporality: 'cumulative' | 'delta';
  collectedUs: number;
  deliveredUs: number;
}

/** A value of a series: a number, or a histogram's bucket counts and then its sum. */
export type Value = number | readonly number[];

interface Series {
  readonly of: CatalogueSeries;
  readonly member: Member;
  readonly resource: Attributes;
  epoch: string;
  previousEpoch: string;
  beganAfterHorizon: boolean;
  /** The last value that was taken in this epoch. */
  held: Value | undefined;
  startUs: number;
  group: { timeUs: number };
  isPresent: boolean;
  isEnded: boolean;
  isFlagged: boolean;
  leftUs: number;
  isFreed: boolean;
  /** What was counted since each delta reader's last collection. */
  readonly due: Map<ModelReader, number[]>;
}

interface Member {
  readonly id: string;
  resource: Attributes;
  readonly series: Map<string, Series>;
  readonly groups: Map<number, { timeUs: number }>;
  lastReportUs: number;
  isPresent: boolean;
}

/** A series on a stream. */
export interface Held {
  readonly series: Series;
  isSettled: boolean;
  /** The stream's last report had no recorded value for it. */
  isFlagged: boolean;
  /** What the stream's columns hold: the last value that was sent, taken or not. */
  raw: Value;
}

export interface ModelStream {
  readonly member: Member;
  readonly held: Map<number, Held>;
  expireUs: number;
}

/** A point of a merging view: what it has counted, and what it counted since each delta reader's last collection. */
interface Point {
  total: number[];
  readonly startUs: number;
  readonly due: Map<ModelReader, number[]>;
  readonly stream: Stream;
  inputs: number;
  /** When its last series was let go of. */
  idleSinceUs: number;
}

/** The points of a merging view that have a resource in common. */
interface Stream {
  readonly isShared: boolean;
  /** Where the horizon stood when it was made. */
  readonly horizonUs: number;
  /** Where points that are made from now on begin to count. */
  startUs: number;
}

const staleUs = 300_000_000;
const evictionUs = 86_400_000_000;
const hourUs = 3_600_000_000;
const minuteUs = 60_000_000;
/** How long a point stays whose series are all gone. */
const expiryUs = 86_400_000_000;

export class ReferenceCollector {
  readonly birthUs: number;
  horizonUs: number;
  readonly readers: ModelReader[] = [];
  readonly streams = new Map<string, ModelStream>();
  readonly rejected = { epoch_fell: 0, not_finite: 0, negative: 0, out_of_range: 0 };
  readonly refused = { epoch_old: 0, invalid: 0 };
  baselines = 0;
  /** By member and metric, what was counted and what was set aside of counters: values of sums, counts of histograms. */
  readonly booked = new Map<string, { counted: number; baseline: number }>();
  readonly #members = new Map<string, Member>();
  readonly #all = new Set<Series>();
  readonly #points = new Map<string, Point>();
  readonly #streams = new Map<string, Stream>();
  /** When points without series are looked for next. */
  #lookUs: number;

  constructor(birthUs: number) {
    this.birthUs = birthUs;
    this.horizonUs = birthUs;
    this.#lookUs = birthUs;
  }

  connect(id: string, resource: Attributes, nowUs: number): void {
    let member = this.#members.get(id);
    if (member === undefined) {
      member = { id, resource, series: new Map(), groups: new Map(), lastReportUs: nowUs, isPresent: false };
      this.#members.set(id, member);
    }
    member.lastReportUs = nowUs;
    if (attributesKey(member.resource) !== attributesKey(resource)) this.#moveTo(member, resource, nowUs);
    this.streams.set(id, { member, held: new Map(), expireUs: nowUs + staleUs });
  }

  disconnect(id: string): void {
    this.streams.delete(id);
  }

  define(
    id: string,
    number: number,
    of: CatalogueSeries,
    epoch: string,
    beganAtUs: number | undefined,
    startUs: number,
    nowUs: number,
    foreign: Attributes,
  ): void {
    const stream = this.streams.get(id)!;
    const { member } = stream;
    const key = `${of.metric.name}${attributesKey(of.attributes)}`;
    const group = member.groups.get(of.group) ?? { timeUs: 0 };
    member.groups.set(of.group, group);
    const beganAfterHorizon = beganAtUs !== undefined && beganAtUs > this.horizonUs;
    let series = member.series.get(key);
    const zero = of.metric.kind === 'histogram' ? [0, 0, 0, 0] : 0;
    if (series === undefined) {
      const resource = of.isForeign ? foreign : member.resource;
      series = this.#newSeries({
        of,
        member,
        resource,
        epoch,
        beganAfterHorizon,
        startUs,
        group,
        leftUs: nowUs,
      });
      member.series.set(key, series);
    } else {
      for (const held of stream.held.values())
        if (held.series === series) {
          this.refused.invalid++;
          return;
        }
      if (epoch === series.epoch) {
        series.isEnded = false;
        if (series.startUs === 0) series.startUs = startUs;
      } else if (epoch === series.previousEpoch) {
        this.refused.epoch_old++;
        return;
      } else {
        series.previousEpoch = series.epoch;
        series.epoch = epoch;
        series.startUs = startUs !== 0 && startUs !== series.startUs ? startUs : series.group.timeUs;
        if (series.isPresent) series.leftUs = nowUs;
        Object.assign(series, {
          isPresent: false,
          isEnded: false,
          isFlagged: false,
          held: undefined,
          beganAfterHorizon,
        });
      }
      series.group = group;
    }
    stream.held.set(number, { series, isSettled: false, isFlagged: false, raw: zero });
  }

  /** A report of one group; `undefined` for a series without a recorded value. */
  report(
    id: string,
    group: number,
    timeUs: number,
    values: ReadonlyMap<number, Value | undefined>,
    nowUs: number,
  ): void {
    const stream = this.streams.get(id)!;
    const { member } = stream;
    member.lastReportUs = nowUs;
    member.isPresent = true;
    const clock = member.groups.get(group);
    if (clock !== undefined) clock.timeUs = timeUs;
    for (const [number, value] of values) {
      const held = stream.held.get(number);
      if (held === undefined) continue;
      const { series } = held;
      if (held.isSettled) series.isPresent = true;
      if (held.isSettled || held.isFlagged) series.isFlagged = false;
      held.isFlagged = value === undefined;
      if (value === undefined) {
        series.isFlagged = true;
        continue;
      }
      const isNews = !held.isSettled || !same(value, held.raw);
      held.raw = value;
      if (!isNews || !this.#take(series, value)) continue;
      held.isSettled = true;
      Object.assign(series, { isPresent: true, isFlagged: false, isEnded: false });
    }
  }

  retire(id: string, number: number, reason: 'gone' | 'idle', nowUs: number): void {
    const stream = this.streams.get(id)!;
    const held = stream.held.get(number);
    stream.held.delete(number);
    if (held === undefined) return;
    this.#idle(held.series, nowUs);
    if (reason === 'gone') held.series.isEnded = true;
  }

  goodbye(id: string, nowUs: number): void {
    this.#leave(this.streams.get(id)!.member, nowUs);
    this.disconnect(id);
  }

  tick(nowUs: number): void {
    for (const stream of this.streams.values()) {
      if (nowUs < stream.expireUs) continue;
      stream.expireUs = nowUs + hourUs;
      const held = new Set([...stream.held.values()].map(({ series }) => series));
      for (const series of stream.member.series.values()) {
        if (held.has(series) || series.isEnded) continue;
        if (series.isPresent) this.#idle(series, nowUs);
        else if (series.leftUs < nowUs - evictionUs) {
          this.horizonUs = Math.max(this.horizonUs, series.leftUs + 1_000_000);
          series.isEnded = true;
        }
      }
    }
    for (const member of [...this.#members.values()]) {
      const silentUs = nowUs - member.lastReportUs;
      if (member.isPresent && silentUs > staleUs) this.#leave(member, nowUs);
      if (this.streams.has(member.id)) continue;
      // Without a series there is nothing to wait for.
      if (![...this.#all].some((series) => series.member === member)) this.#members.delete(member.id);
      if (silentUs <= evictionUs) continue;
      if (member.series.size > 0) this.horizonUs = Math.max(this.horizonUs, member.lastReportUs);
      for (const series of member.series.values()) {
        this.#idle(series, nowUs);
        series.isEnded = true;
      }
      this.#members.delete(member.id);
    }
  }

  /**
   * Lets go of ended series whose last state every reader has delivered, or that waited for an hour; and then or each minute of points that
   * have had no series for a day.
   */
  sweep(nowUs: number): void {
    const beforeUs = Math.max(Math.min(nowUs, ...this.readers.map((r) => r.deliveredUs)), nowUs - hourUs);
    let freed = 0;
    for (const series of this.#all) {
      if (!series.isEnded || series.leftUs >= beforeUs) continue;
      freed++;
      this.#all.delete(series);
      for (const [key, known] of series.member.series) if (known === series) series.member.series.delete(key);
      for (const point of this.#pointsOf(series)) if (--point.inputs === 0) point.idleSinceUs = nowUs;
    }
    if (freed === 0 && nowUs < this.#lookUs) return;
    this.#lookUs = nowUs + minuteUs;
    for (const [key, point] of this.#points) {
      if (point.inputs > 0 || point.idleSinceUs >= Math.min(beforeUs, nowUs - expiryUs)) continue;
      this.#points.delete(key);
      point.stream.startUs = nowUs;
    }
    // Totals of one member are kept until they would begin anew with a later start time.
    for (const [streamKey, stream] of this.#streams) {
      const points = [...this.#points].filter(([, point]) => point.stream === stream);
      const isUsed = points.some(([, point]) => point.inputs > 0);
      if (stream.isShared || isUsed || this.horizonUs <= stream.horizonUs) continue;
      this.#streams.delete(streamKey);
      for (const [key] of points) this.#points.delete(key);
    }
  }

  /** By output, resource and attributes. Points of one series may come twice while it moves between resources. */
  collect(reader: ModelReader, nowUs: number): Map<string, ModelPoint[]> {
    const found = new Map<string, ModelPoint[]>();
    const put = (key: string, point: ModelPoint) => found.set(key, [...(found.get(key) ?? []), point]);
    for (const series of this.#all)
      for (const view of viewsOf(series.of))
        if (!isMerging(view)) this.#showPassing(series, view, reader, nowUs, put);
    for (const [key, point] of this.#points) {
      const isDelta = reader.temporality === 'delta';
      const value = isDelta ? (point.due.get(reader) ?? point.total.map(() => 0)) : point.total;
      point.due.delete(reader);
      put(key, shown(value, isDelta ? reader.collectedUs : point.startUs, nowUs));
    }
    this.#showPresent(nowUs, put);
    reader.collectedUs = nowUs;
    return found;
  }

  /** Series and members that are held, to compare with what the engine holds. */
  get size(): { series: number; members: number } {
    return { series: this.#all.size, members: this.#members.size };
  }

  #showPassing(
    series: Series,
    view: ModelView,
    reader: ModelReader,
    nowUs: number,
    put: (key: string, point: ModelPoint) => void,
  ): void {
    const { metric } = series.of;
    const counts = metric.isMonotonic || metric.kind === 'histogram';
    const isShown =
      series.held !== undefined && (series.isPresent || (counts && series.leftUs >= reader.deliveredUs));
    const key = pointKey(view.output, series.resource, series.of.attributes);
    if (counts && reader.temporality === 'delta') {
      const due = series.due.get(reader);
      const isDue = due?.some((part) => part !== 0) ?? false;
      series.due.delete(reader);
      if (!isShown && !isDue) return;
      const zero = metric.kind === 'histogram' ? [0, 0, 0, 0] : [0];
      put(key, {
        ...shown(due ?? zero, reader.collectedUs, nowUs),
        isWithoutValue: series.isFlagged && !isDue,
      });
    } else if (isShown) {
      const startUs = metric.kind === 'gauge' ? 0 : series.startUs;
      put(key, {
        ...shown(list(series.held!), startUs, series.group.timeUs),
        isWithoutValue: series.isFlagged,
      });
    }
  }

  /** Gauges and sums that may fall, over the series that are present. */
  #showPresent(nowUs: number, put: (key: string, point: ModelPoint) => void): void {
    const found = new Map<string, { view: ModelView; of: Series[] }>();
    for (const series of this.#all) {
      if (!series.isPresent || series.held === undefined || series.isFlagged) continue;
      for (const view of viewsOf(series.of)) {
        if (!isMerging(view) || isCounting(view, series.of)) continue;
        const key = keyIn(view, series);
        const point = found.get(key) ?? { view, of: [] };
        point.of.push(series);
        found.set(key, point);
      }
    }
    for (const [key, { view, of }] of found) {
      const isSum = view.aggregation === 'sum' || of[0].of.metric.kind === 'sum';
      if (isSum) {
        const total = of.reduce((sum, series) => sum + (series.held as number), 0);
        put(key, shown([total], this.birthUs, nowUs));
      } else {
        const newest = of.reduce((a, b) => (b.group.timeUs > a.group.timeUs ? b : a));
        put(key, shown(list(newest.held!), 0, newest.group.timeUs));
      }
    }
  }

  /** Takes a value if it may be taken, and counts it. */
  #take(series: Series, value: Value): boolean {
    const { metric } = series.of;
    if (metric.kind === 'gauge') {
      series.held = value;
      return true;
    }
    if (metric.kind === 'sum') {
      const held = (series.held as number | undefined) ?? 0;
      if (!Number.isFinite(value)) {
        this.rejected.not_finite++;
        return false;
      }
      if (metric.isMonotonic && (value as number) < held) {
        this.rejected[(value as number) < 0 && held === 0 ? 'negative' : 'epoch_fell']++;
        return false;
      }
    }
    if (
      metric.kind === 'histogram' &&
      list(value).some((part, i) => i < 3 && part < list(series.held ?? [0, 0, 0])[i])
    ) {
      this.rejected.epoch_fell++;
      return false;
    }
    const before = series.held;
    series.held = value;
    if (metric.kind === 'sum' && !metric.isMonotonic) return true;
    if (before === undefined && !series.beganAfterHorizon) {
      const counts = metric.kind === 'histogram' ? list(value).slice(0, -1) : list(value);
      if (counts.some((part) => part > 0)) this.baselines++;
      this.#book(series).baseline += amountOf(series.of, list(value));
      return true;
    }
    const from = before === undefined ? list(value).map(() => 0) : list(before);
    const increment = list(value).map((part, i) => part - from[i]);
    this.#book(series).counted += amountOf(series.of, increment);
    for (const reader of this.readers) if (reader.temporality === 'delta') add(series.due, reader, increment);
    for (const point of this.#pointsOf(series)) {
      point.total = point.total.map((part, i) => part + increment[i]);
      for (const reader of this.readers)
        if (reader.temporality === 'delta') add(point.due, reader, increment);
    }
    return true;
  }

  #newSeries(
    given: Pick<
      Series,
      'of' | 'member' | 'resource' | 'epoch' | 'beganAfterHorizon' | 'startUs' | 'group' | 'leftUs'
    > &
      Partial<Series>,
  ): Series {
    const series: Series = {
      previousEpoch: ' none',
      held: undefined,
      isPresent: false,
      isEnded: false,
      isFlagged: false,
      isFreed: false,
      due: new Map(),
      ...given,
    };
    this.#all.add(series);
    for (const view of viewsOf(series.of)) {
      if (!isMerging(view) || !isCounting(view, series.of)) continue;
      const key = keyIn(view, series);
      const total = series.of.metric.kind === 'histogram' ? [0, 0, 0, 0] : [0];
      const stream = this.#streamOf(view, series);
      const { startUs } = stream;
      const made = { total, startUs, due: new Map(), stream, inputs: 0, idleSinceUs: 0 };
      const point = this.#points.get(key) ?? made;
      point.inputs++;
      this.#points.set(key, point);
    }
    return series;
  }

  #book({ member, of }: Series): { counted: number; baseline: number } {
    const key = `${member.id} ${of.metric.name}`;
    const booked = this.booked.get(key) ?? { counted: 0, baseline: 0 };
    this.booked.set(key, booked);
    return booked;
  }

  #streamOf(view: ModelView, series: Series): Stream {
    const key = streamIn(view, series);
    let stream = this.#streams.get(key);
    if (stream === undefined) {
      const isShared = view.resourceKeys !== undefined;
      const { horizonUs } = this;
      stream = { isShared, horizonUs, startUs: isShared ? this.birthUs : horizonUs };
      this.#streams.set(key, stream);
    }
    return stream;
  }

  #pointsOf(series: Series): Point[] {
    return viewsOf(series.of)
      .filter((view) => isMerging(view) && isCounting(view, series.of))
      .map((view) => this.#points.get(keyIn(view, series))!);
  }

  #moveTo(member: Member, resource: Attributes, nowUs: number): void {
    member.resource = resource;
    for (const [key, series] of [...member.series]) {
      if (series.of.isForeign) continue;
      if (series.isEnded) {
        member.series.delete(key);
        continue;
      }
      this.#idle(series, nowUs);
      series.isEnded = true;
      const { of, epoch, previousEpoch, beganAfterHorizon, startUs, group, leftUs, held, isFlagged } = series;
      const rest = { previousEpoch, held, isFlagged };
      const moved = this.#newSeries({
        of,
        member,
        resource,
        epoch,
        beganAfterHorizon,
        startUs,
        group,
        leftUs,
        ...rest,
      });
      member.series.set(key, moved);
    }
  }

  #idle(series: Series, nowUs: number): void {
    if (series.isPresent) series.leftUs = nowUs;
    series.isPresent = false;
  }

  #leave(member: Member, nowUs: number): void {
    member.isPresent = false;
    for (const series of member.series.values()) this.#idle(series, nowUs);
  }
}

/** What {@link ReferenceCollector.collect} and the flattened collection of the engine name a point by. */
export function pointKey(output: string, resource: Attributes, own: Attributes): string {
  return `${output} ${attributesKey(resource)} ${attributesKey(own)}`;
}

const plainView: ModelView = {
  metric: '',
  output: '',
  resourceKeys: undefined,
  keepsAttributes: undefined,
  aggregation: 'default',
};

function viewsOf(of: CatalogueSeries): readonly ModelView[] {
  const views = modelViews.filter((view) => view.metric === of.metric.name);
  if (views.length === 0) return [{ ...plainView, output: of.metric.name }];
  return views.filter((view) => view.aggregation !== 'drop');
}

function isMerging(view: ModelView): boolean {
  return (
    view.resourceKeys !== undefined || view.keepsAttributes !== undefined || view.aggregation !== 'default'
  );
}

/** Whether a view adds up what was counted, rather than what is present. */
function isCounting(view: ModelView, of: CatalogueSeries): boolean {
  return of.metric.kind === 'histogram' || (of.metric.isMonotonic && view.aggregation !== 'last_value');
}

function keyIn(view: ModelView, series: Series): string {
  const kept = series.of.attributes.filter(([key]) => view.keepsAttributes?.includes(key) ?? true);
  return `${streamIn(view, series)} ${attributesKey(kept)}`;
}

function streamIn(view: ModelView, series: Series): string {
  const resource =
    view.resourceKeys === undefined
      ? series.resource
      : attributes([
          ['service.instance.id', 'writer'],
          ...series.resource.filter(([key]) => view.resourceKeys!.includes(key)),
        ]);
  return `${view.output} ${attributesKey(resource)}`;
}

/** A histogram's last number is its sum. */
function amountOf(of: CatalogueSeries, value: readonly number[]): number {
  const counts = of.metric.kind === 'histogram' ? value.slice(0, -1) : value;
  return counts.reduce((total, count) => total + count, 0);
}

function shown(value: readonly number[], startUs: number, timeUs: number): ModelPoint {
  return { value: value.length === 1 ? value[0] : value, startUs, timeUs, isWithoutValue: false };
}

function list(value: Value): readonly number[] {
  return typeof value === 'number' ? [value] : value;
}

function same(a: Value, b: Value): boolean {
  return list(a).every((part, i) => Object.is(part, list(b)[i]));
}

function add(to: Map<ModelReader, number[]>, reader: ModelReader, increment: readonly number[]): void {
  const due = to.get(reader) ?? increment.map(() => 0);
  to.set(
    reader,
    due.map((part, i) => part + increment[i]),
  );
}
