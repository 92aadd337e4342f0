import type { HrTime } from '@opentelemetry/api';
import {
  AggregationTemporality,
  type DataPoint,
  DataPointType,
  type MetricData,
  type ResourceMetrics,
  type ScopeMetrics,
} from '@opentelemetry/sdk-metrics';
import { InvalidDataError } from '../../proto/error.ts';
import type { Clock } from '../clock.ts';
import { type Resource, resourceKey } from '../model/resource.ts';
import type { InstrumentationScope } from '../model/scope.ts';
import { attributesFromSdk } from '../otlp/from-sdk.ts';
import type { Epoch } from '../stream/stream-series.ts';
import { ServiceLife } from './service-life.ts';
import { ServiceMetric } from './service-metric.ts';
import {
  emptyExponential,
  emptyHistogram,
  holdExponential,
  holdHistogram,
  type ServiceSeries,
} from './service-series.ts';

/** Why points of a collection were not taken into the state. */
export type NotTaken = 'limit' | 'metric' | 'duplicate' | 'delta';

export interface ServiceStateOptions {
  /** Tells this process from others and from itself at another time: hexadecimal digits. */
  readonly incarnation: string;
  readonly clock: Clock;
  /** Series, those that are not reported at present included. */
  readonly maxSeries: number;
  /** Points were not taken. `detail` names the metric. */
  readonly onNotTaken: (why: NotTaken, points: number, metric: string, detail: string) => void;
}

/** The group of all series: they are collected together. */
export const serviceGroup = 0;

/**
 * The service's whole state: for each series of the SDK its newest values, changed in place by each collection. An outage of the collector adds
 * nothing to it.
 *
 * Layout: a series has a slot. `values[slot]` is that of a sum or gauge; histograms have theirs in the series. `version` rises whenever series come, go or
 * begin another life, so that a stream that has seen a version needs to look at the values only. A known series costs a comparison or two
 * for each collection and allocates nothing (`npm run bench exporter`).
 */
export class ServiceState {
  values = new Float64Array(64);
  version = 0;
  /** When the newest points were collected: microseconds since the Unix epoch. */
  timeUs = 0;
  /** Calls of `take`. */
  collections = 0;
  readonly #options: ServiceStateOptions;
  readonly #slots: (ServiceSeries | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #byKey = new Map<string, ServiceSeries>();
  /** Series that the last whole collection did not hold: they are kept for their epochs, the one that is away longest first. */
  readonly #away = new Set<ServiceSeries>();
  readonly #metrics = new WeakMap<object, ServiceMetric>();
  readonly #scopes = new WeakMap<object, InstrumentationScope>();
  #resource: { readonly from: object; readonly key: string; readonly resource: Resource } | undefined;
  #otherResource: { readonly from: object; readonly resource: Resource } | undefined;
  /** Collections by their times: several calls of `take` may bring parts of one. */
  #collection = 0;
  #collectionUs = 0;
  /** Series that the present collection has held so far. */
  #seen = 0;
  /** When `take` was called last, by both clocks. */
  #nowUs = 0;
  #nowMs = 0;

  constructor(options: ServiceStateOptions) {
    this.#options = options;
  }

  /** The resource of the first collection; `undefined` before it. */
  get resource(): Resource | undefined {
    return this.#resource?.resource;
  }

  /** Series that are reported. */
  get size(): number {
    return this.#byKey.size - this.#away.size;
  }

  /** Every slot is below this. */
  get slots(): number {
    return this.#slots.length;
  }

  /** The series in a slot that is to be reported; `undefined`: there is none at present. */
  seriesAt(slot: number): ServiceSeries | undefined {
    const series = this.#slots[slot];
    return series === undefined || this.#away.has(series) ? undefined : series;
  }

  /**
   * Takes a collection in, or a part of one: cumulative points of all kinds.
   * @throws InvalidDataError when there are metrics of delta temporality, which are no state; all others have been taken
   */
  take({ resource, scopeMetrics }: ResourceMetrics): void {
    const { clock } = this.#options;
    this.#nowUs = clock.nowUs();
    this.#nowMs = clock.monotonicMs();
    this.collections++;
    const of = this.#resourceOf(resource);
    const timeUs = latestTimeUs(scopeMetrics);
    if (timeUs !== this.#collectionUs) this.#newCollection(timeUs);
    this.timeUs = Math.max(this.timeUs, timeUs);
    const deltas: string[] = [];
    for (const { scope, metrics } of scopeMetrics)
      for (const data of metrics) {
        const isDelta = data.aggregationTemporality === AggregationTemporality.DELTA;
        if (isDelta && data.dataPointType !== DataPointType.GAUGE) {
          deltas.push(data.descriptor.name);
          this.#notTaken('delta', data, 'it is of delta temporality');
        } else if (data.dataPoints.length > 0) {
          this.#takeMetric(this.#metricOf(of, scope, data), data);
        }
      }
    if (deltas.length > 0)
      throw new InvalidDataError(
        `${deltas.length} metrics are of delta temporality, ${deltas[0]} for one: a stream reports state, so give the reader this exporter's own temporality, which is cumulative`,
      );
  }

  /** The collector refused a series' epoch, or takes up one that it had refused: from now on it counts in another one. */
  openEpoch(series: ServiceSeries): void {
    this.#renew(series, undefined, 0);
  }

  #newCollection(timeUs: number): void {
    // Mostly all are seen again, and there is nothing to look for.
    if (this.#seen < this.size)
      for (const series of this.#slots)
        if (series !== undefined && series.seenIn !== this.#collection && !this.#away.has(series)) {
          this.#away.add(series);
          this.version++;
        }
    this.#collection++;
    this.#seen = 0;
    this.#collectionUs = timeUs;
  }

  #resourceOf(from: ResourceMetrics['resource']): Resource | undefined {
    const first = this.#resource;
    if (first?.from === from) return undefined;
    if (this.#otherResource?.from === from) return this.#otherResource.resource;
    const resource = { attributes: attributesFromSdk(from.attributes), schemaUrl: from.schemaUrl ?? '' };
    const key = resourceKey(resource);
    if (first === undefined || first.key === key) {
      this.#resource = { from, key, resource: first?.resource ?? resource };
      return undefined;
    }
    this.#otherResource = { from, resource };
    return resource;
  }

  #metricOf(resource: Resource | undefined, scope: ScopeMetrics['scope'], data: MetricData): ServiceMetric {
    const known = this.#metrics.get(data.descriptor);
    if (known?.isOf(resource, data)) return known;
    const made = new ServiceMetric(resource, this.#scopeOf(scope), data);
    this.#metrics.set(data.descriptor, made);
    return made;
  }

  #scopeOf(from: ScopeMetrics['scope']): InstrumentationScope {
    let scope = this.#scopes.get(from);
    if (scope === undefined) {
      const { name, version = '', schemaUrl = '' } = from;
      scope = { name, version, attributes: [], schemaUrl };
      this.#scopes.set(from, scope);
    }
    return scope;
  }

  #takeMetric(metric: ServiceMetric, data: MetricData): void {
    if (metric.fault !== undefined) {
      this.#notTaken('metric', data, metric.fault);
      return;
    }
    const { places, placeAttributes } = metric;
    const { dataPoints } = data;
    let duplicates = 0;
    let tooMany = 0;
    for (let i = 0; i < dataPoints.length; i++) {
      const point = dataPoints[i]!;
      let series = places[i];
      if (series === undefined || placeAttributes[i] !== point.attributes || series.isForgotten) {
        series = this.#find(metric, data, point);
        places[i] = series;
        placeAttributes[i] = point.attributes;
        if (series === undefined) {
          tooMany++;
          continue;
        }
      }
      if (series.takenIn === this.collections) {
        duplicates++;
        continue;
      }
      series.takenIn = this.collections;
      if (series.seenIn !== this.#collection) {
        series.seenIn = this.#collection;
        this.#seen++;
      }
      if (this.#away.size > 0 && this.#away.delete(series)) this.version++;
      this.#set(series, metric, data, i);
    }
    places.length = dataPoints.length;
    placeAttributes.length = dataPoints.length;
    if (duplicates > 0)
      this.#notTaken('duplicate', data, 'another instrument has the same series', duplicates);
    if (tooMany > 0)
      this.#notTaken('limit', data, `there are ${this.#options.maxSeries} series already`, tooMany);
  }

  #set(series: ServiceSeries, metric: ServiceMetric, data: MetricData, i: number): void {
    const { startTime, endTime } = data.dataPoints[i]!;
    const startUs = microseconds(startTime);
    if (startUs !== series.startUs && metric.description.kind !== 'gauge') {
      series.startUs = startUs;
      this.#renew(series, this.#beganMs(metric, startUs, endTime), startUs);
    } else if (this.#falls(series, metric, data, i)) {
      this.#renew(series, undefined, 0);
    }
    if (data.dataPointType === DataPointType.HISTOGRAM)
      holdHistogram(series.histogram!, data.dataPoints[i]!.value);
    else if (data.dataPointType === DataPointType.EXPONENTIAL_HISTOGRAM)
      holdExponential(series.exponential!, data.dataPoints[i]!.value);
    else this.values[series.slot] = data.dataPoints[i]!.value;
  }

  #falls(
    { slot, histogram, exponential }: ServiceSeries,
    metric: ServiceMetric,
    data: MetricData,
    i: number,
  ) {
    if (data.dataPointType === DataPointType.HISTOGRAM)
      return data.dataPoints[i]!.value.count < histogram!.count;
    if (data.dataPointType === DataPointType.EXPONENTIAL_HISTOGRAM)
      return data.dataPoints[i]!.value.count < exponential!.count;
    return metric.description.isMonotonic && data.dataPoints[i]!.value < this.values[slot]!;
  }

  /** The series of a point that is not at its place: known by its attributes, or new. `undefined`: there is no room. */
  #find(metric: ServiceMetric, data: MetricData, point: Point): ServiceSeries | undefined {
    const key = metric.keyOf(point.attributes);
    let series = this.#byKey.get(key);
    if (series === undefined) {
      if (this.#byKey.size >= this.#options.maxSeries && !this.#makeRoom()) return undefined;
      const slot = this.#free.pop() ?? this.#slots.length;
      const startUs = microseconds(point.startTime);
      const epoch = this.#epoch(1, this.#beganMs(metric, startUs, point.endTime));
      series = {
        slot,
        key,
        life: new ServiceLife(metric, point.attributes, epoch, startUs),
        startUs,
        lives: 1,
        histogram:
          data.dataPointType === DataPointType.HISTOGRAM
            ? emptyHistogram(metric.description.explicitBounds.length + 1)
            : undefined,
        exponential:
          data.dataPointType === DataPointType.EXPONENTIAL_HISTOGRAM ? emptyExponential() : undefined,
        seenIn: 0,
        takenIn: 0,
        isForgotten: false,
      };
      this.#enter(series);
    }
    return series;
  }

  #enter(series: ServiceSeries): void {
    const { slot, key } = series;
    this.#slots[slot] = series;
    this.#byKey.set(key, series);
    if (slot >= this.values.length) {
      const grown = new Float64Array(this.values.length * 2);
      grown.set(this.values);
      this.values = grown;
    }
    this.values[slot] = 0;
    this.version++;
  }

  /** Forgets the series that is away longest: should it return, it begins another epoch. */
  #makeRoom(): boolean {
    const [oldest] = this.#away;
    if (oldest === undefined) return false;
    this.#away.delete(oldest);
    this.#byKey.delete(oldest.key);
    this.#slots[oldest.slot] = undefined;
    this.#free.push(oldest.slot);
    oldest.isForgotten = true;
    return true;
  }

  #renew(series: ServiceSeries, beganMs: number | undefined, startTimeUs: number): void {
    series.lives++;
    series.life = series.life.next(this.#epoch(series.lives, beganMs), startTimeUs);
    this.version++;
  }

  /** Equal only for lives that began in one collection, each the same one of its series, and at one time. */
  #epoch(lives: number, beganMs: number | undefined): Epoch {
    const began = beganMs === undefined ? '-' : Math.round(beganMs).toString(36);
    return { token: `${this.#options.incarnation}.${this.collections}.${lives}.${began}`, beganMs };
  }

  /**
   * When a life began, by the monotonic clock. A start time that is the point's own says that it is not known, unless the instrument
   * is one that counts by itself. The SDK's times are whole milliseconds, so it may have been one sooner.
   */
  #beganMs({ isSynchronous }: ServiceMetric, startUs: number, endTime: HrTime): number | undefined {
    if (startUs === 0 || (startUs === microseconds(endTime) && !isSynchronous)) return undefined;
    const ageUs = this.#nowUs - startUs;
    return ageUs < 0 ? undefined : Math.floor(this.#nowMs - ageUs / 1000 - 1);
  }

  #notTaken(why: NotTaken, data: MetricData, detail: string, points = data.dataPoints.length): void {
    this.#options.onNotTaken(why, points, data.descriptor.name, detail);
  }
}

type Point = DataPoint<unknown>;

function latestTimeUs(scopeMetrics: readonly ScopeMetrics[]): number {
  let latest = 0;
  // One collection gives all points of a metric one time.
  for (const { metrics } of scopeMetrics)
    for (const { dataPoints } of metrics)
      if (dataPoints.length > 0) latest = Math.max(latest, microseconds(dataPoints[0]!.endTime));
  return latest;
}

/** Whole microseconds since the Unix epoch. */
function microseconds([seconds, nanos]: HrTime): number {
  return seconds * 1_000_000 + Math.trunc(nanos / 1000);
}
