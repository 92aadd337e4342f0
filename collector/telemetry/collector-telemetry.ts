import { performance } from 'node:perf_hooks';
import type { Histogram, HrTime } from '@opentelemetry/api';
import { DataPointType, MeterProvider, type ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { ReaderObserver } from '../../otel/export/reader-status.ts';
import { type Attributes, attributes, mergeAttributes } from '../../otel/model/attributes.ts';
import type { Temporality } from '../../otel/model/metric.ts';
import type { Resource } from '../../otel/model/resource.ts';
import { sdkResource } from '../../otel/otlp/to-sdk.ts';
import type { ExpositionReport } from '../../otel/prometheus/exposition-report.ts';
import { CollectableReader } from './collectable-reader.ts';
import { CollectorCounters, type CollectorLevels, ExportCounters } from './collector-counters.ts';
import { EventLoopMonitor } from './event-loop-delay.ts';
import { exportDuration, exportMetrics, readerKey } from './export-metrics.ts';
import { countExports } from './export-observer.ts';
import { registerObserved } from './observed-metric.ts';
import { otlpMetrics } from './otlp-metrics.ts';
import { processMetrics } from './process-metrics.ts';
import { RecentWindow } from './recent-window.ts';
import { stateMetrics } from './state-metrics.ts';
import { storageMetrics } from './storage-metrics.ts';
import { streamMetrics } from './stream-metrics.ts';
import type { TelemetrySource } from './telemetry-source.ts';

/** Metrics "of the last seconds" are of windows at least this long. */
const windowMs = 5000;

/** All observed metrics, in the order of docs/metrics.md. */
export const observedMetrics = [
  ...streamMetrics,
  ...otlpMetrics,
  ...stateMetrics,
  ...exportMetrics,
  ...storageMetrics,
  ...processMetrics,
];

export interface CollectorTelemetryOptions {
  /** The version of streamgauge. */
  readonly version: string;
  /** `service.instance.id`: made at random for each process. */
  readonly instanceId: string;
  /** What was configured of the collector's resource; it may name the service otherwise. */
  readonly resource: Resource;
  readonly levels: () => CollectorLevels;
  /** Told of a metric of our own that could not be read. The others are collected all the same. */
  readonly onError: (error: unknown) => void;
  /** Milliseconds of a clock that does not go back. */
  readonly now?: () => number;
}

/** One reader's share of the collector's own metrics. */
export interface TelemetryReader {
  /** All metrics of the collector itself, with the reader's temporality. Collections of one reader follow one another. */
  collect(): Promise<ResourceMetrics>;
  /** Ends it. Safe when repeated. */
  stop(): Promise<void>;
}

/**
 * The collector's own metrics, as instruments of the OpenTelemetry SDK. docs/metrics.md lists them.
 *
 * Each reader has a MeterProvider of its own: the SDK takes readers only when a provider is made, and keeps what a reader has not collected,
 * without a limit, for as long as another one is. All providers observe the same counters.
 */
export class CollectorTelemetry {
  readonly counters = new CollectorCounters();
  readonly #own: Attributes;
  readonly #birth = hrTime(Date.now());
  #resource: Resource;
  readonly #version: string;
  readonly #onError: (error: unknown) => void;
  readonly #source: TelemetrySource;
  readonly #eventLoop = new EventLoopMonitor();
  readonly #durations = new Set<Histogram>();

  constructor(options: CollectorTelemetryOptions) {
    const { version, instanceId, resource, levels, onError, now = () => performance.now() } = options;
    this.#version = version;
    this.#onError = onError;
    this.#own = attributes({
      'service.name': 'streamgauge-collector',
      'service.instance.id': instanceId,
      'service.version': version,
    });
    this.#resource = this.#with(resource);
    const eventLoopDelay = new RecentWindow(() => this.#eventLoop.take(), windowMs, now);
    const longestMerge = new RecentWindow(() => this.#takeLongestMerge(), windowMs, now);
    this.#source = {
      counters: this.counters,
      levels,
      eventLoopDelay: () => eventLoopDelay.read(),
      longestMerge: () => longestMerge.read(),
    };
  }

  /** What was configured last, with what tells this process from others. Held by readers that come from then on. */
  get resource(): Resource {
    return this.#resource;
  }

  set resource(configured: Resource) {
    this.#resource = this.#with(configured);
  }

  #with({ attributes: configured, schemaUrl }: Resource): Resource {
    return { attributes: mergeAttributes(this.#own, configured), schemaUrl };
  }

  /** Begins to measure the event loop. */
  start(): void {
    this.#eventLoop.start();
  }

  /** Safe before start and when repeated. */
  stop(): void {
    this.#eventLoop.stop();
  }

  /** Gives the collector's own metrics to one more reader, which counts from now on: its deltas hold nothing of before. */
  registerReader(temporality: Temporality): TelemetryReader {
    const reader = new CollectableReader(temporality);
    const provider = new MeterProvider({ resource: sdkResource(this.resource), readers: [reader] });
    const meter = provider.getMeter('streamgauge.collector', this.#version);
    registerObserved(meter, observedMetrics, this.#source);
    const { name, unit, description, bounds } = exportDuration;
    const duration = meter.createHistogram(name, {
      unit,
      description,
      advice: { explicitBucketBoundaries: [...bounds] },
    });
    this.#durations.add(duration);

    const collect = async () => {
      const { resourceMetrics, errors } = await reader.collect();
      errors.forEach(this.#onError);
      if (temporality === 'cumulative') sinceBirth(resourceMetrics, this.#birth);
      return resourceMetrics;
    };
    // The SDK takes a counter's first observation for its start: the first one is made now, when all are at zero.
    let last: Promise<unknown> = collect().catch(this.#onError);
    let isStopped = false;
    return {
      collect: () => {
        const next = last.then(collect);
        last = next.catch(() => {});
        return next;
      },
      stop: async () => {
        if (isStopped) return;
        isStopped = true;
        this.#durations.delete(duration);
        await last;
        await provider.shutdown();
      },
    };
  }

  /** What a reader of that name tells of its exports. Called again for a name, it goes on counting where it was. */
  exportObserver(readerName: string): ReaderObserver {
    let counters = this.counters.exports.get(readerName);
    if (counters === undefined) {
      counters = new ExportCounters(readerName);
      this.counters.exports.set(readerName, counters);
    }
    const reader = { [readerKey]: readerName };
    return countExports(counters, (seconds) => {
      for (const duration of this.#durations) duration.record(seconds, reader);
    });
  }

  /** Counts an answered scrape. */
  scraped(report: ExpositionReport): void {
    const { scrapes } = this.counters;
    scrapes.scrapes++;
    scrapes.samples += report.samples;
    for (const [cause, points] of Object.entries(report.leftOut)) {
      scrapes.leftOut[cause as keyof typeof scrapes.leftOut] += points;
    }
  }

  #takeLongestMerge(): number {
    const { sessions } = this.counters;
    const seconds = sessions.maxMergeMs / 1e3;
    sessions.maxMergeMs = 0;
    return seconds;
  }
}

/** Whenever a reader came, the counters that it observes began with the process. */
function sinceBirth({ scopeMetrics }: ResourceMetrics, birth: HrTime): void {
  for (const { metrics } of scopeMetrics)
    for (const { dataPointType, dataPoints } of metrics)
      if (dataPointType === DataPointType.SUM)
        for (const point of dataPoints) (point as { startTime: HrTime }).startTime = birth;
}

function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, (ms - seconds * 1000) * 1e6];
}
