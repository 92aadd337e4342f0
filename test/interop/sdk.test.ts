import type { MeterProvider } from '@opentelemetry/sdk-metrics';
import test from 'ava';
import { otelcolWithSink } from './otelcol/otelcol-with-sink.ts';
import { type Row, receivedRows } from './rows.ts';
import { type SdkProtocol, sdkSender } from './sdk-sender.ts';

const resource = { 'service.name': 'sdk', 'process.pid': 17, 'process.command_args': ['a', 'b'] };
const bounds = [1, 10, 100];

/** Records the same each time, so that after `n` times every total is `n` times the first. */
function record(provider: MeterProvider): void {
  const meter = provider.getMeter('sdk.scope', '2.1.0', {
    schemaUrl: 'https://opentelemetry.io/schemas/1.30.0',
  });
  const requests = meter.createCounter('requests', { unit: '{request}', description: 'Requests served' });
  requests.add(3, { route: '/a', status: 200 });
  requests.add(4, { route: '/b', cached: true, load: 0.5 });
  meter.createUpDownCounter('open', { unit: '{connection}' }).add(-2);
  meter.createGauge('temperature', { unit: 'Cel' }).record(21.5, { room: 'küche' });
  const duration = meter.createHistogram('duration', {
    unit: 's',
    advice: { explicitBucketBoundaries: bounds },
  });
  for (const value of [0.5, 5, 50, 500, 500]) duration.record(value);
}

/** The rows of one export, each recording having been exported on its own. Times are not stated: the SDK's clock gives them. */
function expected(recordings: number, temporality: 'cumulative' | 'delta'): Omit<Row, 'start' | 'time'>[] {
  const times = temporality === 'cumulative' ? recordings : 1;
  const around = {
    resource: { 'process.command_args': ['a', 'b'], 'process.pid': 17n, 'service.name': 'sdk' },
    resourceSchemaUrl: '',
    scope: 'sdk.scope',
    scopeVersion: '2.1.0',
    scopeAttributes: {},
    scopeSchemaUrl: 'https://opentelemetry.io/schemas/1.30.0',
    description: '',
    flags: 0,
  };
  const sum = { ...around, kind: 'sum', temporality } as const;
  const requests = {
    ...sum,
    name: 'requests',
    unit: '{request}',
    description: 'Requests served',
    monotonic: true,
  };
  return [
    {
      ...around,
      name: 'duration',
      unit: 's',
      kind: 'histogram',
      temporality,
      monotonic: false,
      attributes: {},
      value: {
        count: 5 * times,
        sum: 1055.5 * times,
        min: 0.5,
        max: 500,
        bucketCounts: [times, times, times, 2 * times],
        explicitBounds: bounds,
      },
    },
    {
      ...sum,
      // Of up-down counters the SDK exports the cumulative value under either preference.
      temporality: 'cumulative',
      name: 'open',
      unit: '{connection}',
      monotonic: false,
      attributes: {},
      value: -2 * recordings,
    },
    { ...requests, attributes: { cached: true, load: 0.5, route: '/b' }, value: 4 * times },
    { ...requests, attributes: { route: '/a', status: 200n }, value: 3 * times },
    {
      ...around,
      name: 'temperature',
      unit: 'Cel',
      kind: 'gauge',
      temporality: undefined,
      monotonic: false,
      attributes: { room: 'küche' },
      value: 21.5,
    },
  ];
}

const variants: readonly [SdkProtocol, boolean, 'cumulative' | 'delta'][] = [
  ['grpc', false, 'cumulative'],
  ['grpc', true, 'delta'],
  ['http/protobuf', true, 'cumulative'],
  ['http/json', false, 'delta'],
];

for (const [protocol, gzip, temporality] of variants) {
  const title = `${protocol}${gzip ? ', gzip' : ''}, ${temporality}`;
  test(`what an official SDK sends to a real Collector is in the sink: ${title}`, async (t) => {
    const { otelcol, sink } = await otelcolWithSink(t);
    const { grpcPort, httpPort } = otelcol;
    const provider = sdkSender({ protocol, gzip, temporality, grpcPort, httpPort, resource });
    t.teardown(() => provider.shutdown());
    record(provider);
    await provider.forceFlush();
    record(provider);
    await provider.forceFlush();

    t.is(sink.requests.length, 2);
    const [first, second] = sink.requests.map((request) => receivedRows([request]));
    t.deepEqual(first.map(withoutTimes), expected(1, temporality));
    t.deepEqual(second.map(withoutTimes), expected(2, temporality));
    for (const [i, row] of second.entries()) {
      t.true(row.time > first[i].time);
      if (row.temporality === 'delta') t.is(row.start, first[i].time);
      if (row.temporality === 'cumulative') t.is(row.start, first[i].start);
    }
  });
}

test('a real Collector turns deltas into cumulative sums', async (t) => {
  const { otelcol, sink } = await otelcolWithSink(t, { deltatocumulative: {} });
  const { grpcPort, httpPort } = otelcol;
  const provider = sdkSender({
    protocol: 'grpc',
    gzip: false,
    temporality: 'delta',
    grpcPort,
    httpPort,
    resource,
  });
  t.teardown(() => provider.shutdown());
  for (let times = 1; times <= 3; times++) {
    record(provider);
    await provider.forceFlush();
    const rows = receivedRows(sink.requests.slice(-1)).filter(({ name }) => name === 'requests');
    t.deepEqual(
      rows.map(({ value, temporality }) => ({ value, temporality })),
      [4, 3].map((value) => ({ value: value * times, temporality: 'cumulative' as const })),
    );
  }
});

function withoutTimes({ start: _, time: __, ...row }: Row): Omit<Row, 'start' | 'time'> {
  return row;
}
