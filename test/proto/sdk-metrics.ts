import { resourceFromAttributes } from '@opentelemetry/resources';
import { AggregationType, MeterProvider, type MetricReader } from '@opentelemetry/sdk-metrics';
import type { ReceivedPoint } from '../sinks/received-points.ts';

/** A provider with one instrument of each kind and known recordings; the reader sees them. */
export function recordEveryKind(reader: MetricReader): MeterProvider {
  const provider = new MeterProvider({
    resource: resourceFromAttributes({
      'service.name': 'shop',
      'process.pid': 4711,
      'process.command_args': ['node', 'main.js'],
    }),
    readers: [reader],
    views: [
      {
        instrumentName: 'latency.explicit',
        aggregation: {
          type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM,
          options: { boundaries: [1, 10, 100] },
        },
      },
      { instrumentName: 'latency.exponential', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } },
    ],
  });
  const meter = provider.getMeter('checkout', '1.2.3', { schemaUrl: 'https://example.net/schema' });
  const requests = meter.createCounter('requests', {
    unit: '{request}',
    description: 'Requests',
    valueType: 0,
  });
  requests.add(3, { route: '/a', cached: true });
  requests.add(2 ** 40, { route: '/b', cached: false });
  meter.createCounter('energy', { unit: 'J' }).add(0.25);
  const queue = meter.createUpDownCounter('queue', { valueType: 0 });
  queue.add(5);
  queue.add(-7);
  meter.createGauge('temperature', { unit: 'Cel' }).record(-3.5, { ratio: 0.5 });
  const explicit = meter.createHistogram('latency.explicit', { unit: 'ms' });
  const exponential = meter.createHistogram('latency.exponential', { unit: 'ms' });
  for (const value of [0, 5, 50, 500, 10]) {
    explicit.record(value, { kind: 'x' });
    exponential.record(value);
  }
  return provider;
}

/** Of received rows what is known beforehand, in the order of {@link recordedRows}; exponential histograms are left out. */
export function knownColumns(rows: readonly ReceivedPoint[]): object[] {
  return rows
    .filter(({ kind }) => kind !== 'exponential_histogram')
    .map(({ name, unit, kind, monotonic, attributes, value }) => ({
      name,
      unit,
      kind,
      monotonic,
      attributes,
      value,
    }))
    .sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
}

function sortKey({ name, attributes }: Pick<ReceivedPoint, 'name' | 'attributes'>): string {
  return `${name} ${attributes.route ?? ''}`;
}

/** What was recorded, by name and attributes. */
export const recordedRows: readonly object[] = [
  { name: 'energy', unit: 'J', kind: 'sum', monotonic: true, attributes: {}, value: 0.25 },
  {
    name: 'latency.explicit',
    unit: 'ms',
    kind: 'histogram',
    monotonic: false,
    attributes: { kind: 'x' },
    value: { count: 5, sum: 565, min: 0, max: 500, bucketCounts: [1, 2, 1, 1], explicitBounds: [1, 10, 100] },
  },
  { name: 'queue', unit: '', kind: 'sum', monotonic: false, attributes: {}, value: -2n },
  {
    name: 'requests',
    unit: '{request}',
    kind: 'sum',
    monotonic: true,
    attributes: { route: '/a', cached: true },
    value: 3n,
  },
  {
    name: 'requests',
    unit: '{request}',
    kind: 'sum',
    monotonic: true,
    attributes: { route: '/b', cached: false },
    value: 2n ** 40n,
  },
  {
    name: 'temperature',
    unit: 'Cel',
    kind: 'gauge',
    monotonic: false,
    attributes: { ratio: 0.5 },
    value: -3.5,
  },
];
