import test from 'ava';
import { hostGlance } from '../../../cli/up/host-glance.ts';
import { type AttributeValue, attributes } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import { emptyResource } from '../../../otel/model/resource.ts';
import { emptyScope } from '../../../otel/model/scope.ts';
import {
  type MetricStream,
  noMore,
  noRecordedValue,
  type PointBatch,
} from '../../../otel/state/point-batch.ts';

type Point = readonly [value: number, attributes: Record<string, AttributeValue>, flags?: number];

function stream(name: string, points: readonly Point[]): MetricStream {
  return {
    metric: metric({ name, kind: 'gauge' }),
    temporality: undefined,
    read(batch: PointBatch): number {
      batch.reset(points.length);
      for (const [i, [value, list, flags = 0]] of points.entries()) {
        batch.values[i] = value;
        batch.flags[i] = flags;
        batch.seriesAttributes[i] = {
          attributes: attributes(list),
          otlpNumber: undefined,
          otlpHistogram: undefined,
        };
      }
      batch.size = points.length;
      return noMore;
    },
  };
}

const glance = (...hosts: MetricStream[][]) =>
  hostGlance({
    timeUs: 0,
    resources: hosts.map((streams) => ({
      resource: emptyResource,
      scopes: [{ scope: emptyScope, streams }],
    })),
  });

const cpu = (number: bigint, mode: string) => ({ 'cpu.logical_number': number, 'cpu.mode': mode });

test('nothing of a host gives nothing', (t) => {
  t.deepEqual(glance([stream('my.metric', [[1, {}]])]), []);
});

test('a host at a glance', (t) => {
  const host = [
    stream('system.cpu.time', [
      [10, cpu(0n, 'user')],
      [90, cpu(0n, 'idle')],
      [5, cpu(1n, 'system')],
      [7, cpu(1n, 'iowait')],
      [Number.NaN, cpu(1n, 'nice'), noRecordedValue],
    ]),
    stream('system.memory.usage', [
      [25, { 'system.memory.state': 'used' }],
      [75, { 'system.memory.state': 'free' }],
    ]),
    stream('system.memory.limit', [[100, {}]]),
    stream('system.cpu.load_average.1m', [[0.5, {}]]),
    stream('system.network.io', [
      [1, { 'network.io.direction': 'receive', 'network.interface.name': 'a' }],
      [2, { 'network.io.direction': 'receive', 'network.interface.name': 'b' }],
      [4, { 'network.io.direction': 'transmit', 'network.interface.name': 'a' }],
      [100, { 'network.io.direction': 'transmit', 'network.interface.name': 'lo' }],
    ]),
    stream('system.disk.io', [[8, { 'disk.io.direction': 'read' }]]),
  ];
  t.deepEqual(glance(host), [
    { label: 'cpu', kind: 'total', unit: '1', value: 7.5 },
    { label: 'memory', kind: 'level', unit: '1', value: 0.25 },
    { label: 'load', kind: 'level', unit: '', value: 0.5 },
    { label: 'net in', kind: 'total', unit: 'By', value: 3 },
    { label: 'net out', kind: 'total', unit: 'By', value: 4 },
    { label: 'disk read', kind: 'total', unit: 'By', value: 8 },
  ]);
});

test('two hosts with as many CPUs are twice as many', (t) => {
  const host = [stream('system.cpu.time', [[10, cpu(0n, 'user')]])];
  t.is(glance(host, host)[0]!.value, 10);
});
