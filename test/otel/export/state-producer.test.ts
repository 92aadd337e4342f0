import { ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import test from 'ava';
import { type SdkLoss, StateProducer } from '../../../otel/export/state-producer.ts';
import { metric, type Temporality } from '../../../otel/model/metric.ts';
import type { Collection } from '../../../otel/state/point-batch.ts';
import { decodeExportRequest } from '../../sinks/export-request.ts';
import { type PlainAttributes, type ReceivedPoint, receivedPoints } from '../../sinks/received-points.ts';
import { collectionOf, expectedRows, type ModelPoint, type ModelResource } from '../otlp/model-collection.ts';
import { GrowingSums } from './growing-sums.ts';

const startUs = 1_790_000_000_123_456;

function point(more: Partial<ModelPoint>, attributes: PlainAttributes = { route: '/a' }): ModelPoint {
  const timeUs = startUs + 60_000_001;
  return { attributes, startUs, timeUs, flags: 0, value: 0, counts: [], sum: 0, min: 0, max: 0, ...more };
}

/** Every kind but summaries, as one temporality. Gauges have none. */
function everyKind(temporality: Temporality): ModelResource {
  const statistics = { hasSum: true, hasMin: true, hasMax: true };
  const named = (name: string) => ({ name, unit: 'By', description: `the ${name}` });
  const exponential = {
    scale: 3,
    zeroThreshold: 0,
    zeroCount: 4,
    positive: { offset: -5, counts: [1, 0, 7] },
    negative: { offset: 2, counts: [3] },
  };
  const streams = [
    {
      metric: metric({ ...named('sent'), kind: 'sum', isMonotonic: true, valueType: 'int' }),
      temporality,
      points: [
        point({ value: 2 ** 53 - 1 }),
        point({ value: 5 }, { route: '/b', cached: true, list: ['x', 'y'] }),
      ],
    },
    {
      metric: metric({ ...named('open'), kind: 'sum', valueType: 'double' }),
      temporality,
      points: [point({ value: -0.5 })],
    },
    {
      metric: metric({ ...named('warm'), kind: 'gauge' }),
      temporality: undefined,
      points: [point({ value: 36.6, startUs: 0 })],
    },
    {
      metric: metric({ ...named('took'), kind: 'histogram', explicitBounds: [0.5, 1], ...statistics }),
      temporality,
      points: [
        point({ counts: [1, 2, 3], sum: 9.5, min: 0.25, max: 4 }),
        point({ counts: [1, 0, 0], sum: 0.5, min: Number.NaN, max: Number.NaN }, {}),
      ],
    },
    {
      metric: metric({ ...named('size'), kind: 'exponential_histogram', ...statistics }),
      temporality,
      points: [point({ exponential, sum: 1.5, min: -8, max: 2 })],
    },
  ];
  return { attributes: { 'service.name': 'shop' }, scopes: [{ name: 'meter', streams }] };
}

/** With scopes as the SDK has them: without attributes. */
function withPlainScopes(collection: Collection): Collection {
  const resources = [...collection.resources].map((resource) => ({
    ...resource,
    scopes: resource.scopes.map((each) => ({ ...each, scope: { ...each.scope, attributes: [] } })),
  }));
  return { ...collection, resources };
}

/** A reader of the official SDK over the producer. Gives what its exporter got, each time it is asked. */
function sdkReader(
  t: { teardown(run: () => Promise<void>): void },
  producer: StateProducer,
  exporter: PushMetricExporter,
) {
  const reader = new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: 3_600_000,
    metricProducers: [producer],
  });
  const provider = new MeterProvider({
    resource: resourceFromAttributes({ 'service.name': 'shop' }),
    readers: [reader],
  });
  t.teardown(() => provider.shutdown());
  return provider;
}

/** As the SDK's own serializer says it. */
function rowsOf(metrics: readonly ResourceMetrics[]): ReceivedPoint[] {
  return receivedPoints(
    metrics.map((each) => decodeExportRequest(ProtobufMetricsSerializer.serializeRequest(each)!)),
  );
}

/** A gauge has no temporality in OTLP, and in the SDK's results one that says nothing. */
for (const temporality of ['cumulative', 'delta'] as const) {
  test(`${temporality}: an exporter of the SDK gets every kind with every field`, async (t) => {
    const model = everyKind(temporality);
    const lost: SdkLoss[] = [];
    const producer = new StateProducer({
      collect: () => withPlainScopes(collectionOf([model], 1)),
      onLoss: (loss) => lost.push(loss),
    });
    const exporter = new InMemoryMetricExporter(
      temporality === 'delta' ? AggregationTemporality.DELTA : AggregationTemporality.CUMULATIVE,
    );
    await sdkReader(t, producer, exporter).forceFlush();
    t.deepEqual(rowsOf(exporter.getMetrics()), expectedRows([model]));
    t.deepEqual(lost, []);
  });

  test(`${temporality}: an exporter of somebody else's gets collection after collection`, async (t) => {
    const sums = new GrowingSums(temporality);
    const got: number[][] = [];
    const exporter: PushMetricExporter = {
      export({ scopeMetrics }, done) {
        const [{ metrics }] = scopeMetrics as [(typeof scopeMetrics)[0]];
        got.push(metrics[0]!.dataPoints.map(({ value }) => value as number));
        done({ code: 0 });
      },
      forceFlush: async () => {},
      shutdown: async () => {},
    };
    const producer = new StateProducer({ collect: (timeUs) => sums.collect(timeUs) });
    const provider = sdkReader(t, producer, exporter);
    for (let round = 0; round < 3; round++) {
      sums.add();
      await provider.forceFlush();
    }
    const [one, two, three] = [1, 2, 3].map((n) => [n, 2 * n, 3 * n]);
    t.deepEqual(got, temporality === 'delta' ? [one, one, one] : [one, two, three]);
  });
}

test('attributes that the SDK has no type for', async (t) => {
  const attributes = {
    high: 2n ** 62n,
    low: -5n,
    bytes: Uint8Array.of(1),
    map: { list: [1n, 'x'] },
    nothing: null,
  };
  const gauge = metric({ name: 'g', kind: 'gauge' });
  const streams = [{ metric: gauge, temporality: undefined, points: [point({}, attributes)] }];
  const producer = new StateProducer({
    collect: () => collectionOf([{ attributes, scopes: [{ name: 's', streams }] }]),
  });
  const { resourceMetrics } = await producer.collect();
  const plain = { ...attributes, high: (2n ** 62n).toString(), low: -5, map: { list: [1, 'x'] } };
  t.deepEqual(resourceMetrics.scopeMetrics[0]!.metrics[0]!.dataPoints[0]!.attributes, plain);
  t.deepEqual(resourceMetrics.resource.attributes, {
    high: plain.high,
    low: -5,
    bytes: '"AQ=="',
    map: '{"list":[1,"x"]}',
  });
});

/** Two resources, a summary, a point without a value and one with a zero threshold. */
function lossy(): ModelResource[] {
  const sum = metric({ name: 'sent', kind: 'sum', isMonotonic: true });
  const ofHost = (host: string): ModelResource => ({
    attributes: { host, route: 'of the resource' },
    scopes: [
      {
        name: 'meter',
        streams: [
          {
            metric: sum,
            temporality: 'cumulative',
            points: [
              point({ value: 1 }),
              point({ flags: 1 }, { route: '/gone' }),
              point({ value: 2 }, { other: 'x' }),
            ],
          },
          {
            metric: metric({ name: 'waits', kind: 'summary', quantiles: [] }),
            temporality: undefined,
            points: [point({ count: 1, quantileValues: [] })],
          },
        ],
      },
    ],
  });
  const [one, two] = [ofHost('one'), ofHost('two')];
  const exponential = {
    scale: 0,
    zeroThreshold: 0.5,
    zeroCount: 1,
    positive: { offset: 0, counts: [] },
    negative: { offset: 0, counts: [] },
  };
  one.scopes[0]!.streams.push({
    metric: metric({ name: 'size', kind: 'exponential_histogram' }),
    temporality: 'cumulative',
    points: [point({ exponential })],
  });
  return [one, two];
}

test('what the SDK cannot carry is told, metric by metric', async (t) => {
  const lost: SdkLoss[] = [];
  const producer = new StateProducer({
    collect: () => withPlainScopes(collectionOf(lossy())),
    onLoss: (loss) => lost.push(loss),
  });
  const { resourceMetrics, errors } = await producer.collect();
  t.deepEqual(lost, [
    { metric: 'sent', cause: 'no_recorded_value', points: 1 },
    { metric: 'waits', cause: 'summary', points: 1 },
    { metric: 'size', cause: 'zero_threshold', points: 1 },
    { metric: 'sent', cause: 'another_resource', points: 3 },
    { metric: 'waits', cause: 'summary', points: 1 },
  ]);
  t.deepEqual(errors, []);
  t.deepEqual(resourceMetrics.resource.attributes, { host: 'one', route: 'of the resource' });
  t.deepEqual(
    rowsOf([resourceMetrics]).map(({ name, attributes }) => [name, attributes]),
    [
      ['sent', { route: '/a' }],
      ['sent', { other: 'x' }],
      ['size', { route: '/a' }],
    ],
  );
});

test('without a callback, each result says it in its errors', async (t) => {
  const producer = new StateProducer({ collect: () => collectionOf(lossy()) });
  for (let round = 0; round < 2; round++) {
    const { errors } = await producer.collect();
    const texts = errors.map((error) => (error as Error).message);
    for (const expected of [
      /1 points whole: no_recorded_value/,
      /2 points whole: summary/,
      /3 points .* another_resource/,
      /3 points .* scope_attributes/,
    ])
      t.is(texts.filter((text) => expected.test(text)).length, 1, String(expected));
  }
});

test('several resources as attributes of points, which win', async (t) => {
  const lost: SdkLoss[] = [];
  const producer = new StateProducer({
    collect: () => withPlainScopes(collectionOf(lossy())),
    resources: 'point_attributes',
    onLoss: (loss) => lost.push(loss),
  });
  const { resourceMetrics } = await producer.collect();
  t.deepEqual(resourceMetrics.resource.attributes, {});
  t.deepEqual(
    rowsOf([resourceMetrics])
      .filter(({ name }) => name === 'sent')
      .map(({ attributes }) => attributes),
    ['one', 'two'].flatMap((host) => [
      { host, route: '/a' },
      { host, other: 'x', route: 'of the resource' },
    ]),
  );
  t.false(lost.some(({ cause }) => cause === 'another_resource'));
});

test("a series' attributes are one object, and a collection that fails leaves the next one alone", async (t) => {
  const collection = collectionOf([everyKind('cumulative')]);
  let calls = 0;
  const producer = new StateProducer({
    collect: () => {
      if (++calls === 2) throw new Error('no state');
      return collection;
    },
  });
  const attributesOf = async () =>
    (await producer.collect()).resourceMetrics.scopeMetrics[0]!.metrics[0]!.dataPoints[0]!.attributes;
  const first = await attributesOf();
  await t.throwsAsync(attributesOf, { message: 'no state' });
  t.is(await attributesOf(), first);
});
