import { InvalidDataError } from '../../../proto/error.ts';
import type { Attributes } from '../../model/attributes.ts';
import { kindsByCode } from '../../state/member-series.ts';
import { type AttributeLimits, readAttributes } from './attribute-bytes.ts';
import { DecodedPoints } from './decoded-points.ts';
import { decodeExponentialPoint, exponentialAttributesField } from './exponential-point.ts';
import { decodeHistogramPoint, histogramAttributesField } from './histogram-point.ts';
import { KeyBytes } from './key-bytes.ts';
import { KnownBytes } from './known-bytes.ts';
import { decodeNumberPoint, numberAttributesField } from './number-point.ts';
import { readBounds, readQuantiles } from './point-shape.ts';
import {
  type MetricHeader,
  type ResourceHeader,
  readMetricHeader,
  readResourceHeader,
  readScopeHeader,
  type ScopeHeader,
} from './request-headers.ts';
import { decodeSummaryPoint, summaryAttributesField } from './summary-point.ts';
import { bytesType, varintType, WireCursor } from './wire-cursor.ts';

export interface DecodeLimits extends AttributeLimits {
  /** Headers and series whose bytes are remembered. */
  readonly maxKnown: number;
  readonly maxPoints: number;
}

/** The points of a metric as they stand together in a request: rows `[from, to)` of the points. */
export interface MetricPoints {
  readonly resource: ResourceHeader;
  readonly scope: ScopeHeader;
  readonly metric: MetricHeader;
  readonly from: number;
  readonly to: number;
  /** Where it is: indexes of ResourceMetrics, ScopeMetrics and Metric. */
  readonly place: readonly [resource: number, scope: number, metric: number];
}

/** Fields of Metric by the kind of its data, in the order of their codes. */
const dataFields = [7, 5, 9, 10, 11];
const dataNames = ['sum', 'gauge', 'histogram', 'exponential_histogram', 'summary'];
const attributeFields = [
  numberAttributesField,
  numberAttributesField,
  histogramAttributesField,
  exponentialAttributesField,
  summaryAttributesField,
];

const isOuterKey = (field: number): boolean => field === 1 || field === 3;
const isMetricKey = (field: number): boolean => field <= 3;

/**
 * Takes an ExportMetricsServiceRequest apart, right from its bytes: its points go into columns, and what they are of is found among what is known
 * from requests before. Nothing of it is changed by a request that is malformed but what is known. Used again for each request.
 */
export class RequestDecoder {
  readonly points: DecodedPoints;
  readonly known: KnownBytes;
  /** What was decoded last. */
  readonly metrics: MetricPoints[] = [];
  /** Exemplars that were passed over. */
  exemplars = 0;
  readonly #limits: DecodeLimits;
  readonly #cursor = new WireCursor();
  readonly #key = new KeyBytes();
  readonly #resources = new Map<number, ResourceHeader>();
  readonly #scopes = new Map<number, ScopeHeader>();
  readonly #metricHeaders = new Map<number, MetricHeader>();
  #root = 0;
  /** Where the decoder is, for errors. */
  readonly #place: [number, number, number] = [-1, -1, -1];
  #dataName = '';
  #pointIndex = -1;
  /** Ids of the headers that came last. */
  #lastResource = 0;
  #lastScope = 0;
  #lastMetric = 0;
  #resource: ResourceHeader | undefined;
  #scope: ScopeHeader | undefined;

  constructor(limits: DecodeLimits, known = new KnownBytes(limits.maxKnown)) {
    this.#limits = limits;
    this.known = known;
    this.points = new DecodedPoints(limits.maxPoints);
  }

  /**
   * Decodes a request into `points` and `metrics`, which are valid until the next one.
   * @param root what the resources stand under, where the same bytes can mean several ones: see rootOf
   * @throws InvalidDataError with the path of the field, for bytes that are no such message, or more than the limits allow
   */
  decode(bytes: Uint8Array, root = ''): void {
    this.clear();
    if (this.known.isFull) this.#forget();
    this.#root = root === '' ? 0 : this.#rootOf(root);
    this.#lastResource = 0;
    const cursor = this.#cursor;
    cursor.reset(bytes);
    try {
      this.#place.fill(-1);
      this.#dataName = '';
      this.#pointIndex = -1;
      this.#request(bytes.length);
    } catch (error) {
      this.clear();
      if (!(error instanceof InvalidDataError)) throw error;
      throw new InvalidDataError(error.message, { cause: error, fieldPath: this.#path() });
    }
  }

  /** Lets go of the request. */
  clear(): void {
    this.points.clear();
    this.metrics.length = 0;
    this.exemplars = 0;
    this.#resource = undefined;
    this.#scope = undefined;
  }

  /** The attributes of a point of the request. @throws InvalidDataError naming the attribute that is invalid or over a limit */
  attributesOf(row: number, { kind }: MetricHeader): Attributes {
    const field = attributeFields[kindsByCode.indexOf(kind)]!;
    const { starts, ends } = this.points;
    return readAttributes(
      this.#cursor,
      starts[row]!,
      ends[row]!,
      { field, path: 'attributes' },
      this.#limits,
    );
  }

  /** Bounds of a histogram's point, quantiles of a summary's, none for others. */
  numbersOf(row: number, { kind }: MetricHeader): readonly number[] {
    const { starts, ends } = this.points;
    if (kind === 'histogram') return readBounds(this.#cursor, starts[row]!, ends[row]!);
    return kind === 'summary' ? readQuantiles(this.#cursor, starts[row]!, ends[row]!) : [];
  }

  /** `resource_metrics[1].scope_metrics[0].metrics[3].sum.data_points[17]`. */
  pathOf({ place: [resource, scope, metric], metric: { kind }, from }: MetricPoints, row: number): string {
    return `${pathTo(resource, scope, metric)}.${kind}.data_points[${row - from}]`;
  }

  #request(end: number): void {
    const cursor = this.#cursor;
    while (cursor.at < end) {
      const tag = cursor.tag(end);
      if (tag >>> 3 !== 1) {
        cursor.skip(tag, end);
        continue;
      }
      this.#place[0]++;
      cursor.expect(tag, bytesType);
      this.#resourceMetrics(cursor.length(end));
      this.#place[1] = -1;
    }
  }

  /** Headers are read with the first metric below them that has points: those without cost nothing. */
  #resourceMetrics(end: number): void {
    const cursor = this.#cursor;
    const start = cursor.at;
    this.#resource = undefined;
    this.#lastScope = 0;
    this.#walkOuter(end);
    cursor.at = start;
    while (cursor.at < end) {
      const tag = cursor.tag(end);
      if (tag >>> 3 !== 2) {
        cursor.skip(tag, end);
        continue;
      }
      this.#place[1]++;
      this.#scopeMetrics(start, end, cursor.length(end));
      this.#place[2] = -1;
    }
  }

  #scopeMetrics(resourceStart: number, resourceEnd: number, end: number): void {
    const cursor = this.#cursor;
    const start = cursor.at;
    this.#scope = undefined;
    this.#lastMetric = 0;
    this.#walkOuter(end);
    cursor.at = start;
    while (cursor.at < end) {
      const tag = cursor.tag(end);
      if (tag >>> 3 !== 2) {
        cursor.skip(tag, end);
        continue;
      }
      this.#place[2]++;
      const stop = cursor.length(end);
      this.#metric(stop, () => {
        this.#resource ??= this.#resourceHeader(resourceStart, resourceEnd);
        this.#scope ??= this.#scopeHeader(this.#resource, start, end);
      });
      this.#dataName = '';
      cursor.at = stop;
    }
  }

  /** ResourceMetrics and ScopeMetrics: a message in field 1 at most once, messages in 2, a text in 3. */
  #walkOuter(end: number): void {
    const cursor = this.#cursor;
    let hasHeader = false;
    while (cursor.at < end) {
      const tag = cursor.tag(end);
      const field = tag >>> 3;
      if (field <= 3) cursor.expect(tag, bytesType);
      if (field === 1 && hasHeader)
        throw new InvalidDataError(`byte ${cursor.at}: field 1 comes twice, and once is allowed`);
      hasHeader ||= field === 1;
      cursor.skip(tag, end);
    }
  }

  #metric(end: number, readHeaders: () => void): void {
    const cursor = this.#cursor;
    const start = cursor.at;
    let kindCode = -1;
    let dataStart = 0;
    let dataEnd = 0;
    let keyEnd = start;
    let isKeyFirst = true;
    while (cursor.at < end) {
      const tag = cursor.tag(end);
      const field = tag >>> 3;
      if (field <= 3) {
        cursor.expect(tag, bytesType);
        cursor.at = cursor.length(end);
        if (kindCode >= 0) isKeyFirst = false;
        if (isKeyFirst) keyEnd = cursor.at;
        continue;
      }
      const code = dataFields.indexOf(field);
      if (code < 0) {
        cursor.skip(tag, end);
        if (keyEnd < cursor.at && kindCode < 0) isKeyFirst = false;
        continue;
      }
      cursor.expect(tag, bytesType);
      if (kindCode >= 0) throw new InvalidDataError(`byte ${cursor.at}: the metric's data comes twice`);
      kindCode = code;
      dataEnd = cursor.length(end);
      dataStart = cursor.at;
      cursor.at = dataEnd;
    }
    if (kindCode < 0) return;
    this.#dataName = dataNames[kindCode]!;
    const shape = this.#dataShape(kindCode, dataStart, dataEnd);
    if (shape === undefined) return;
    readHeaders();
    const key = this.#key;
    if (isKeyFirst) key.within(cursor, start, keyEnd);
    else key.gather(cursor, start, end, isMetricKey);
    const metric = this.#metricHeader(this.#scope!, key, kindCode, shape);
    const from = this.points.size;
    this.#points(kindCode, metric.id, dataStart, dataEnd);
    this.metrics.push({
      resource: this.#resource!,
      scope: this.#scope!,
      metric,
      from,
      to: this.points.size,
      place: [this.#place[0], this.#place[1], this.#place[2]],
    });
  }

  /** Temporality and monotonicity, which stand after the points; `undefined`: there are no points. */
  #dataShape(
    kindCode: number,
    start: number,
    end: number,
  ): { readonly temporality: number; readonly isMonotonic: boolean } | undefined {
    const cursor = this.#cursor;
    const hasTemporality = kindCode !== 1 && kindCode !== 4;
    let temporality = 0;
    let isMonotonic = false;
    let hasPoints = false;
    cursor.at = start;
    while (cursor.at < end) {
      const tag = cursor.tag(end);
      const field = tag >>> 3;
      if (field === 1) {
        cursor.expect(tag, bytesType);
        cursor.at = cursor.length(end);
        hasPoints = true;
      } else if (field === 2 && hasTemporality) {
        cursor.expect(tag, varintType);
        temporality = cursor.varint32(end);
      } else if (field === 3 && kindCode === 0) {
        cursor.expect(tag, varintType);
        isMonotonic = cursor.varint(end) !== 0;
      } else cursor.skip(tag, end);
    }
    return hasPoints ? { temporality, isMonotonic } : undefined;
  }

  #points(kindCode: number, parent: number, start: number, end: number): void {
    const cursor = this.#cursor;
    const { points, known } = this;
    const key = this.#key;
    let after = 0;
    this.#pointIndex = -1;
    cursor.at = start;
    while (cursor.at < end) {
      const tag = cursor.tag(end);
      if (tag >>> 3 !== 1) {
        cursor.skip(tag, end);
        continue;
      }
      this.#pointIndex++;
      const stop = cursor.length(end);
      const row = points.add();
      points.starts[row] = cursor.at;
      points.ends[row] = stop;
      this.exemplars += this.#point(kindCode, stop, row);
      cursor.at = stop;
      let id = 0;
      if (parent !== 0) {
        id = known.idOf(parent, points.variants[row]!, key.view, key.start, key.end, after);
        if (id !== 0) after = id;
      }
      points.series[row] = id;
    }
    this.#pointIndex = -1;
  }

  #point(kindCode: number, end: number, row: number): number {
    switch (kindCode) {
      case 0:
      case 1:
        return decodeNumberPoint(this.#cursor, end, this.points, row, this.#key);
      case 2:
        return decodeHistogramPoint(this.#cursor, end, this.points, row, this.#key);
      case 3:
        return decodeExponentialPoint(this.#cursor, end, this.points, row, this.#key);
      default:
        return decodeSummaryPoint(this.#cursor, end, this.points, row, this.#key);
    }
  }

  #resourceHeader(start: number, end: number): ResourceHeader {
    const id = this.#outerId(this.#root, start, end, this.#lastResource);
    if (id !== 0) this.#lastResource = id;
    return headerOf(this.#resources, id, () => readResourceHeader(id, this.#key, this.#limits));
  }

  #scopeHeader(resource: ResourceHeader, start: number, end: number): ScopeHeader {
    const id = resource.id === 0 ? 0 : this.#outerId(resource.id, start, end, this.#lastScope);
    if (id !== 0) this.#lastScope = id;
    else this.#gatherOuter(start, end);
    return headerOf(this.#scopes, id, () => readScopeHeader(id, this.#key, this.#limits));
  }

  #outerId(parent: number, start: number, end: number, after: number): number {
    this.#gatherOuter(start, end);
    const key = this.#key;
    return this.known.idOf(parent, 0, key.view, key.start, key.end, after);
  }

  #gatherOuter(start: number, end: number): void {
    const cursor = this.#cursor;
    const { at } = cursor;
    this.#key.gather(cursor, start, end, isOuterKey);
    cursor.at = at;
  }

  #metricHeader(
    scope: ScopeHeader,
    key: KeyBytes,
    kindCode: number,
    { temporality, isMonotonic }: { readonly temporality: number; readonly isMonotonic: boolean },
  ): MetricHeader {
    // What is no temporality is kept apart as 3.
    const told = temporality === 1 || temporality === 2 ? temporality : 0;
    const variant = kindCode + 5 * told + (isMonotonic ? 15 : 0);
    const id =
      scope.id === 0 ? 0 : this.known.idOf(scope.id, variant, key.view, key.start, key.end, this.#lastMetric);
    if (id !== 0) this.#lastMetric = id;
    return headerOf(this.#metricHeaders, id, () =>
      readMetricHeader(id, key, { kind: kindsByCode[kindCode]!, temporality, isMonotonic }),
    );
  }

  #rootOf(text: string): number {
    const bytes = Buffer.from(text);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return this.known.idOf(0, 1, view, 0, bytes.length, 0);
  }

  #forget(): void {
    this.known.clear();
    this.#resources.clear();
    this.#scopes.clear();
    this.#metricHeaders.clear();
  }

  #path(): string {
    const [resource, scope, metric] = this.#place;
    const data = this.#dataName === '' ? '' : `.${this.#dataName}`;
    const point = this.#pointIndex < 0 ? '' : `.data_points[${this.#pointIndex}]`;
    return `${pathTo(resource, scope, metric)}${data}${point}`;
  }
}

/** The header that the id stands for, read when it is new. */
function headerOf<T>(known: Map<number, T>, id: number, read: () => T): T {
  let header = id === 0 ? undefined : known.get(id);
  if (header === undefined) {
    header = read();
    if (id !== 0) known.set(id, header);
  }
  return header;
}

function pathTo(resource: number, scope: number, metric: number): string {
  if (resource < 0) return '';
  const ofScope = scope < 0 ? '' : `.scope_metrics[${scope}]`;
  return `resource_metrics[${resource}]${ofScope}${metric < 0 ? '' : `.metrics[${metric}]`}`;
}
