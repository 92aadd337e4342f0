import { type Attributes, type DiagLogger, ValueType } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AggregationType, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { StreamMetricExporter, type StreamMetricExporterOptions } from '../../otel/index.ts';

const bounds = [1, 10, 100];

/** What a program has recorded, kept beside the SDK. */
export interface Recorded {
  readonly jobs: Map<string, number>;
  open: number;
  level: number;
  ticks: number;
  readonly buckets: number[];
  tookSum: number;
  sizes: number;
  sizesSum: number;
}

const quiet: DiagLogger = { verbose() {}, debug() {}, info() {}, warn() {}, error() {} };

/** A service with an instrument of each kind, whose readings are exported only when a test says so. */
export class RecordingService {
  readonly exporter: StreamMetricExporter;
  readonly provider: MeterProvider;
  readonly recorded: Recorded = {
    jobs: new Map(),
    open: 0,
    level: 0,
    ticks: 0,
    buckets: [0, 0, 0, 0],
    tookSum: 0,
    sizes: 0,
    sizesSum: 0,
  };
  readonly #record: (i: number) => void;

  constructor(endpoint: string, instance: string, more: StreamMetricExporterOptions = {}) {
    this.exporter = new StreamMetricExporter({
      endpoint: `http://${endpoint}`,
      backOff: { initialMs: 20, maxMs: 100 },
      logger: quiet,
      ...more,
    });
    this.provider = new MeterProvider({
      resource: resourceFromAttributes({ 'service.name': 'shop', 'service.instance.id': instance }),
      readers: [
        new PeriodicExportingMetricReader({ exporter: this.exporter, exportIntervalMillis: 3_600_000 }),
      ],
      views: [
        { instrumentName: 'sizes', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } },
        {
          instrumentName: 'took',
          aggregation: { type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM, options: { boundaries: bounds } },
        },
      ],
    });
    const meter = this.provider.getMeter('shop.meter', '1.2.3');
    const jobs = meter.createCounter('jobs', { unit: '{job}', valueType: ValueType.INT });
    const open = meter.createUpDownCounter('open', { valueType: ValueType.INT });
    const level = meter.createGauge('level');
    const took = meter.createHistogram('took', { unit: 's' });
    const sizes = meter.createHistogram('sizes', { unit: 'By' });
    const { recorded } = this;
    meter
      .createObservableCounter('ticks', { valueType: ValueType.INT })
      .addCallback((result) => result.observe(recorded.ticks));
    this.#record = (i) => {
      const attributes: Attributes = { queue: `q${i % 3}`, shard: i % 2 };
      const key = `q${i % 3}/${i % 2}`;
      jobs.add(i, attributes);
      recorded.jobs.set(key, (recorded.jobs.get(key) ?? 0) + i);
      open.add(i % 2 === 0 ? 3 : -2);
      recorded.open += i % 2 === 0 ? 3 : -2;
      recorded.level = i / 4;
      level.record(recorded.level);
      const seconds = (i * 37) % 150;
      took.record(seconds);
      const bucket = bounds.findIndex((bound) => seconds <= bound);
      recorded.buckets[bucket < 0 ? 3 : bucket]!++;
      recorded.tookSum += seconds;
      sizes.record(i * i);
      recorded.sizes++;
      recorded.sizesSum += i * i;
      recorded.ticks += 2;
    };
  }

  /** Records so many rounds of measurements; `from` makes them different ones. */
  work(rounds: number, from = 0): void {
    for (let i = from; i < from + rounds; i++) this.#record(i);
  }

  /** Exports, and waits for the acknowledgement. */
  flush(): Promise<void> {
    return this.provider.forceFlush();
  }
}
