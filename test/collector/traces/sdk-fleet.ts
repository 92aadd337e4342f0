import {
  AggregationTemporality,
  AggregationType,
  type CollectionResult,
  createAllowListAttributesProcessor,
  DataPointType,
  MeterProvider,
  type ViewOptions,
} from '@opentelemetry/sdk-metrics';
import { type Attributes, attributes } from '../../../otel/model/attributes.ts';
import { type ModelHistogram, modelHistogram } from '../../otel/state/exponential-model.ts';
import { AskedReader } from '../../otel/state/intake/sdk-reader.ts';

export const instruments = ['requests', 'open', 'load', 'took', 'size'] as const;
export type Instrument = (typeof instruments)[number];

/** The bounds of `took`. */
export const boundaries = [1, 10];

/** One measurement in a process. */
export interface Measurement {
  readonly instrument: Instrument;
  readonly value: number;
  readonly route: string;
  readonly user: string;
}

/** What an SDK tells of one series: a number, an explicit histogram as its counts and then its sum, or an exponential one. */
export interface Told {
  readonly instrument: Instrument;
  readonly attributes: Attributes;
  readonly startUs: number;
  readonly timeUs: number;
  readonly value: number | readonly number[] | ModelHistogram;
}

type Metrics = CollectionResult['resourceMetrics'];

/** The official SDK in one process: a counter, an up-down counter, a gauge, an explicit and an exponential histogram, cumulative. */
export class SdkProcess {
  readonly #reader = new AskedReader(AggregationTemporality.CUMULATIVE);
  readonly #provider: MeterProvider;
  readonly #record: Readonly<Record<Instrument, (value: number, own: Record<string, string>) => void>>;

  /** `keys`: the attributes that its view keeps; `undefined`: all. */
  constructor(keys?: readonly string[]) {
    const kept =
      keys === undefined ? {} : { attributesProcessors: [createAllowListAttributesProcessor([...keys])] };
    const aggregations: Partial<Record<Instrument, ViewOptions['aggregation']>> = {
      took: { type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM, options: { boundaries } },
      size: { type: AggregationType.EXPONENTIAL_HISTOGRAM, options: { maxSize: 160, recordMinMax: true } },
    };
    const views = instruments.map((instrumentName) => {
      const aggregation = aggregations[instrumentName];
      return { instrumentName, ...kept, ...(aggregation === undefined ? {} : { aggregation }) };
    });
    this.#provider = new MeterProvider({ readers: [this.#reader], views });
    const meter = this.#provider.getMeter('fleet');
    const requests = meter.createCounter('requests');
    const open = meter.createUpDownCounter('open');
    const load = meter.createGauge('load');
    const took = meter.createHistogram('took');
    const size = meter.createHistogram('size');
    this.#record = {
      requests: (value, own) => requests.add(Math.abs(value), own),
      open: (value, own) => open.add(value, own),
      load: (value, own) => load.record(value, own),
      took: (value, own) => took.record(Math.abs(value), own),
      size: (value, own) => size.record(Math.abs(value), own),
    };
  }

  measure({ instrument, value, route, user }: Measurement): void {
    this.#record[instrument](value, { route, user });
  }

  async collect(): Promise<Told[]> {
    return toldBy(await this.#reader.take());
  }

  async stop(): Promise<void> {
    await this.#provider.shutdown();
  }
}

function toldBy({ scopeMetrics }: Metrics): Told[] {
  const found: Told[] = [];
  for (const { metrics } of scopeMetrics)
    for (const data of metrics)
      for (const point of data.dataPoints) {
        const [startUs, timeUs] = [point.startTime, point.endTime].map(
          ([seconds, nanos]) => seconds * 1e6 + Math.floor(nanos / 1000),
        );
        found.push({
          instrument: data.descriptor.name as Instrument,
          attributes: attributes(point.attributes as Record<string, string>),
          startUs,
          timeUs,
          value: asTold(data.dataPointType, point.value),
        });
      }
  return found;
}

type PointValue = Metrics['scopeMetrics'][number]['metrics'][number]['dataPoints'][number]['value'];

function asTold(type: DataPointType, value: PointValue): Told['value'] {
  if (typeof value === 'number') return value;
  if ('buckets' in value) return [...value.buckets.counts, value.sum ?? 0];
  if (type !== DataPointType.EXPONENTIAL_HISTOGRAM) throw new Error(`a point of type ${type}`);
  const side = ({ offset, bucketCounts }: typeof value.positive) =>
    new Map(bucketCounts.map((count, i) => [offset + i, count] as const).filter(([, count]) => count > 0));
  return modelHistogram({
    scale: value.scale,
    zeroCount: value.zeroCount,
    positive: side(value.positive),
    negative: side(value.negative),
    sum: value.sum ?? 0,
  });
}
