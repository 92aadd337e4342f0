import { PassThrough, Writable } from 'node:stream';
import test from 'ava';
import { consoleEncode, streamSender } from '../../../otel/export/console-exporter.ts';
import { PeriodicReader } from '../../../otel/export/periodic-reader.ts';
import { metric } from '../../../otel/model/metric.ts';
import { parseOtlpJson } from '../../sinks/otlp-json.ts';
import { receivedPoints } from '../../sinks/received-points.ts';
import { collectionOf } from '../otlp/model-collection.ts';
import { GrowingSums } from './growing-sums.ts';
import { recordingLog } from './recording-log.ts';
import { VirtualClock } from './virtual-clock.ts';

const never = new AbortController().signal;

test('a console reader writes one line of OTLP/JSON for each interval', async (t) => {
  const clock = new VirtualClock();
  const stream = new PassThrough();
  const sums = new GrowingSums('cumulative');
  const reader = new PeriodicReader({
    name: 'console',
    intervalMs: 1000,
    temporality: 'cumulative',
    collect: (timeUs) => {
      sums.add();
      return sums.collect(timeUs);
    },
    encode: consoleEncode('json'),
    sender: streamSender(stream),
    log: recordingLog().log,
    clock,
  });
  reader.start();
  await clock.advance(2000);
  await reader.drain(1000);
  stream.end();
  const lines = (await stream.toArray()).join('').trimEnd().split('\n');
  t.is(lines.length, 3);
  t.deepEqual(
    lines.map((line) => receivedPoints([parseOtlpJson(line)]).map(({ value }) => value)),
    [
      [1n, 2n, 3n],
      [2n, 4n, 6n],
      [3n, 6n, 9n],
    ],
  );
  t.is(reader.status.counts.pointsExported, 9);
});

test('as text each point is a line', (t) => {
  const point = {
    startUs: 0,
    timeUs: 1_790_000_000_000_000,
    flags: 0,
    value: 1.5,
    counts: [2, 1],
    sum: 7,
    min: 0,
    max: 0,
  };
  const points = [{ ...point, attributes: { state: 'a b', cpu: 3n } }];
  const load = metric({ name: 'load', unit: '1', kind: 'gauge' });
  const time = metric({ name: 'time', unit: 's', kind: 'histogram', explicitBounds: [5], hasSum: true });
  const size = metric({ name: 'size', unit: 'By', kind: 'exponential_histogram', hasSum: true });
  const exponential = {
    scale: 1,
    zeroThreshold: 0,
    zeroCount: 4,
    positive: { offset: 1, counts: [1, 0, 2] },
    negative: { offset: -2, counts: [3] },
  };
  const wait = metric({ name: 'wait', unit: 's', kind: 'summary', quantiles: [0.5, 1] });
  const streams = [
    { metric: load, temporality: undefined, points },
    { metric: load, temporality: undefined, points: [{ ...point, attributes: {}, flags: 1 }] },
    { metric: time, temporality: 'delta' as const, points },
    { metric: size, temporality: 'cumulative' as const, points: [{ ...points[0]!, exponential }] },
    {
      metric: wait,
      temporality: undefined,
      points: [{ ...points[0]!, count: 9, quantileValues: [0.25, 3] }],
    },
  ];
  const collection = collectionOf([{ attributes: { 'host.name': 'h' }, scopes: [{ name: 's', streams }] }]);
  const [output] = [...consoleEncode('text')(collection, () => {}, 0)].filter((step) => step !== undefined);
  t.is(output?.points, 5);
  t.is(
    Buffer.from(output!.bytes).toString(),
    [
      '2026-09-21T14:13:20.000Z {host.name="h"} load{cpu="3" state="a b"} 1.5 1\n',
      '2026-09-21T14:13:20.000Z {host.name="h"} load{} no value 1\n',
      '2026-09-21T14:13:20.000Z {host.name="h"} time{cpu="3" state="a b"} count=3 sum=7 ≤5:2 ≤∞:1 s (delta)\n',
      '2026-09-21T14:13:20.000Z {host.name="h"} size{cpu="3" state="a b"} count=10 sum=7 scale=1 ≥-0.7071:3 zero:4 ≤2:1 ≤4:2 By\n',
      '2026-09-21T14:13:20.000Z {host.name="h"} wait{cpu="3" state="a b"} count=9 sum=7 q0.5=0.25 q1=3 s\n',
    ].join(''),
  );
});

test('a closed pipe is a failure and not the end of the process', async (t) => {
  const stream = new PassThrough();
  const sender = streamSender(stream);
  stream.destroy(new Error('EPIPE'));
  await new Promise((resolve) => setImmediate(resolve));
  const result = await sender.send(Buffer.from('x'), never);
  t.true(result.kind === 'permanent' && result.error.message.includes('EPIPE'));
});

test('a stream that takes nothing is waited for, until the signal', async (t) => {
  const stuck = new Writable({ write() {} });
  const abort = new AbortController();
  const sent = streamSender(stuck).send(Buffer.from('x'), abort.signal);
  abort.abort();
  t.is((await sent).kind, 'retryable');
});
