import { createHash } from 'node:crypto';
import { numbersOf } from '../../integration/conservation/exports.ts';
import type { OtlpExportRequest } from '../../sinks/export-request.ts';
import { type PlainAttributes, type ReceivedPoint, receivedPoints } from '../../sinks/received-points.ts';

/** One output series as a backend has it. */
export interface BookedSeries {
  readonly name: string;
  /** `service.instance.id` of the resource. */
  readonly instance: string;
  readonly attributes: PlainAttributes;
  /** Start times that were seen; of cumulative series one, unless counting began anew. */
  readonly starts: Set<bigint>;
  /** Points that were taken; of delta series distinct intervals. */
  points: number;
  last: ReceivedPoint;
  /** Of a delta series what its intervals add up to, of a cumulative one its last value: sums have one number, histograms their buckets and sum. */
  total: number[];
}

export interface ExportBookOptions {
  readonly temporality: 'cumulative' | 'delta';
  /** Series of other metrics are passed over. */
  readonly names: ReadonlySet<string>;
  /** Delta series of these may leave out intervals; all others have one after another without a gap. */
  readonly mayRest?: ReadonlySet<string>;
  /** Whether the exporter's wall clock may have been set back, so that times of cumulative points may go back. */
  readonly mayGoBack?: boolean;
}

/** Of each series so many latest intervals are remembered; one that comes again later than that is found to overlap. */
const rememberedIntervals = 5000;
const maxFaults = 50;

interface Entry {
  readonly series: BookedSeries;
  /** Interval to the digest of the request that first held it, and whether one that did was taken. */
  readonly intervals: Map<string, { readonly digest: string; isTaken: boolean }>;
}

/**
 * What must hold of all that a backend was sent, request after request, checked plainly: a cumulative value never falls under one start time; delta
 * intervals abut, and what comes twice comes in the same bytes.
 */
export class ExportBook {
  readonly faults: string[] = [];
  readonly #options: ExportBookOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: ExportBookOptions) {
    this.#options = options;
  }

  get series(): BookedSeries[] {
    return [...this.#entries.values()].map(({ series }) => series).filter(({ points }) => points > 0);
  }

  of(name: string): BookedSeries[] {
    return this.series.filter((one) => one.name === name);
  }

  /** @param isTaken whether the backend has counted it; one that it refused must be the same when it comes again, too */
  take(request: OtlpExportRequest, bytes: Uint8Array, isTaken: boolean): void {
    const { names, temporality } = this.#options;
    let digest: string | undefined;
    for (const point of receivedPoints([request])) {
      if (!names.has(point.name)) continue;
      const entry = this.#entryOf(point);
      if (point.temporality !== temporality) this.#fault(point, `is ${point.temporality}`);
      if (temporality === 'cumulative') {
        if (isTaken) this.#takeCumulative(entry, point);
      } else {
        digest ??= createHash('sha1').update(bytes).digest('base64');
        this.#takeDelta(entry, point, digest, isTaken);
      }
    }
  }

  #takeCumulative({ series }: Entry, point: ReceivedPoint): void {
    const { last, points } = series;
    const numbers = numbersOf(point);
    if (points > 0) {
      if (point.start < last.start) this.#fault(point, `its start goes back from ${told(last)}`);
      if (point.time < last.time && !this.#options.mayGoBack)
        this.#fault(point, `its time goes back from ${told(last)}`);
      if (point.start === last.start && numbers.some((value, i) => value < series.total[i]!))
        this.#fault(point, `falls from ${told(last)}`);
    }
    series.total = numbers;
    book(series, point);
  }

  #takeDelta({ series, intervals }: Entry, point: ReceivedPoint, digest: string, isTaken: boolean): void {
    const interval = `${point.start} ${point.time}`;
    const known = intervals.get(interval);
    if (known !== undefined && known.digest !== digest)
      this.#fault(point, 'comes again in a request of other bytes');
    const wasTaken = known?.isTaken ?? false;
    intervals.set(interval, { digest: known?.digest ?? digest, isTaken: wasTaken || isTaken });
    for (const oldest of intervals.keys()) {
      if (intervals.size <= rememberedIntervals) break;
      intervals.delete(oldest);
    }
    if (!isTaken || wasTaken) return;
    const numbers = numbersOf(point);
    const { last, points } = series;
    if (point.start >= point.time) this.#fault(point, 'has an empty interval');
    if (numbers.some((value) => value < 0)) this.#fault(point, 'is negative');
    if (points > 0) {
      if (point.start < last.time) this.#fault(point, `overlaps ${told(last)}`);
      if (point.start > last.time && !this.#options.mayRest?.has(point.name))
        this.#fault(point, `leaves a gap behind ${told(last)}`);
    }
    series.total = numbers.map((value, i) => value + (series.total[i] ?? 0));
    book(series, point);
  }

  #entryOf(point: ReceivedPoint): Entry {
    const { name, scope, resource, attributes } = point;
    const key = JSON.stringify([name, scope, sorted(resource), sorted(attributes)]);
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      const instance = String(resource['service.instance.id']);
      const series: BookedSeries = {
        name,
        instance,
        attributes,
        starts: new Set(),
        points: 0,
        last: point,
        total: [],
      };
      entry = { series, intervals: new Map() };
      this.#entries.set(key, entry);
    }
    return entry;
  }

  #fault(point: ReceivedPoint, what: string): void {
    const { name, resource, attributes } = point;
    if (this.faults.length < maxFaults)
      this.faults.push(
        `${name} of ${resource['service.instance.id']} ${JSON.stringify(sorted(attributes))}: ${told(point)} ${what}`,
      );
  }
}

function book(series: BookedSeries, point: ReceivedPoint): void {
  series.points++;
  series.last = point;
  series.starts.add(point.start);
}

function told(point: ReceivedPoint): string {
  return `${numbersOf(point).join(' ')} (from ${point.start} to ${point.time})`;
}

function sorted(attributes: PlainAttributes): [string, string][] {
  return Object.entries(attributes)
    .map(([key, value]): [string, string] => [key, `${typeof value} ${String(value)}`])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}
