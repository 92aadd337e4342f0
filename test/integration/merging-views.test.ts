import test, { type ExecutionContext } from 'ava';
import type { Agent } from '../../agent/agent.ts';
import type { Collector } from '../../collector/collector.ts';
import { attributes } from '../../otel/model/attributes.ts';
import { until } from '../interop/until.ts';
import { startHttpSink } from '../sinks/http-sink.ts';
import type { OtlpSink } from '../sinks/otlp-sink.ts';
import { type ReceivedPoint, receivedPoints } from '../sinks/received-points.ts';
import { CountingSource, counts, load, open, type SetSeries } from './counting-source.ts';
import { otlpReader, startAgent, startCollector, view } from './in-process.ts';
import { mergesAnew } from './merged.ts';

interface Shop {
  readonly agent: Agent;
  /** Two series of each metric, which tell their `worker` apart. */
  readonly done: readonly [SetSeries, SetSeries];
  readonly open: readonly [SetSeries, SetSeries];
  readonly load: readonly [SetSeries, SetSeries];
}

async function startShop(
  t: ExecutionContext,
  collector: Collector,
  id: string,
  region: string,
  value: number,
): Promise<Shop> {
  const source = new CountingSource();
  const pair = (of: Parameters<CountingSource['add']>[0]) =>
    [source.add(of, { queue: 'mail', worker: 1n }), source.add(of, { queue: 'mail', worker: 2n })] as const;
  const shop = { done: pair(counts), open: pair(open), load: pair(load) };
  const resource = attributes({ 'service.name': 'shop', 'service.instance.id': id, region, id });
  const agent = await startAgent(t, collector.addresses.grpc, {
    id,
    resource,
    sources: [source.definition()],
  });
  // Whenever the collector hears of the counters first, nothing stands on them that could be a baseline.
  await mergesAnew(collector, agent);
  for (const series of source.series) series.value = value;
  return { agent, ...shop };
}

/** The newest whole export, as `name{region,worker}` with its value. */
function lastExport(sink: OtlpSink): Map<string, ReceivedPoint> {
  const points = receivedPoints(sink.requests.slice(-1)).filter(({ name }) => name.startsWith('jobs.'));
  return new Map(
    points.map((point) => [
      `${point.name}{${point.resource.id ?? point.resource.region},${point.attributes.worker ?? ''}}`,
      point,
    ]),
  );
}

function valuesOf(sink: OtlpSink): Record<string, number> {
  return Object.fromEntries([...lastExport(sink)].map(([key, { value }]) => [key, Number(value)]));
}

test('merging views join agents; those that come and go never make a total dip or jump', async (t) => {
  const sink = await startHttpSink();
  t.teardown(() => sink.stop());
  const merged = { resourceKeys: ['service.name', 'region'], attributeKeys: { included: ['queue'] } };
  const collector = await startCollector(t, {
    readers: [otlpReader('otlp_http', sink, { intervalMs: 50 })],
    views: [
      view(counts.name, merged),
      // A second view of one metric is a second stream.
      view(counts.name, { name: 'jobs.done.by_shop', attributeKeys: { excluded: ['w*'] } }),
      view(open.name, { ...merged, name: 'jobs.open.all', description: 'By region' }),
      view('jobs.l?ad', { ...merged, aggregation: 'sum' }),
    ],
  });
  const one = await startShop(t, collector, 'one', 'eu', 10);
  const two = await startShop(t, collector, 'two', 'eu', 100);
  const three = await startShop(t, collector, 'three', 'us', 1000);
  const becomes = async (expected: Record<string, number>, what: string): Promise<void> => {
    await until(() => isSame(valuesOf(sink), expected), what, 15_000).catch(() =>
      t.deepEqual(valuesOf(sink), expected, what),
    );
  };
  await becomes(
    {
      'jobs.done{eu,}': 220,
      'jobs.done{us,}': 2000,
      'jobs.done.by_shop{one,}': 20,
      'jobs.done.by_shop{two,}': 200,
      'jobs.done.by_shop{three,}': 2000,
      'jobs.open.all{eu,}': 220,
      'jobs.open.all{us,}': 2000,
      'jobs.load{eu,}': 220,
      'jobs.load{us,}': 2000,
    },
    'all three shops',
  );
  const first = lastExport(sink);
  const total = first.get('jobs.done{eu,}')!;
  t.like(total, {
    scope: 'counting',
    unit: '{job}',
    kind: 'sum',
    temporality: 'cumulative',
    monotonic: true,
    attributes: { queue: 'mail' },
  });
  t.deepEqual(Object.keys(total.resource).sort(), ['region', 'service.instance.id', 'service.name']);
  const writer = total.resource['service.instance.id'];
  t.regex(String(writer), /^[0-9a-f]{32}$/);
  t.like(first.get('jobs.open.all{eu,}'), { description: 'By region', monotonic: false, kind: 'sum' });
  t.like(first.get('jobs.load{eu,}'), { kind: 'sum', monotonic: false, value: 220 });

  // One counts on and leaves: what it counted stays, its share of what is open leaves.
  two.done[0].value = 150;
  two.open[0].value = 7;
  t.true((await two.agent.drain(30_000)).delivered);
  const withoutTwo = {
    'jobs.done{eu,}': 270,
    'jobs.done{us,}': 2000,
    'jobs.done.by_shop{one,}': 20,
    'jobs.done.by_shop{three,}': 2000,
    'jobs.open.all{eu,}': 20,
    'jobs.open.all{us,}': 2000,
    'jobs.load{eu,}': 20,
    'jobs.load{us,}': 2000,
  };
  await until(() => valuesOf(sink)['jobs.open.all{eu,}'] === 20, 'the share of two has left');
  // A passing output shows the last state of a counter until it was delivered, so it may be there still.
  t.like(valuesOf(sink), withoutTwo);

  // It comes back as another incarnation, whose counters begin anew.
  await startShop(t, collector, 'two', 'eu', 3);
  await startShop(t, collector, 'four', 'us', 5);
  const all = {
    ...withoutTwo,
    'jobs.done{eu,}': 276,
    'jobs.done{us,}': 2010,
    'jobs.done.by_shop{four,}': 10,
    'jobs.open.all{eu,}': 26,
    'jobs.open.all{us,}': 2010,
    'jobs.load{eu,}': 26,
    'jobs.load{us,}': 2010,
  };
  await until(() => isPart(all, valuesOf(sink)), 'two is back and four is new', 15_000).catch(() =>
    t.like(valuesOf(sink), all),
  );

  const totals = sink.points.filter(({ name, resource }) => name === counts.name && resource.region === 'eu');
  for (const [i, point] of totals.entries()) {
    t.is(point.start, total.start);
    t.is(point.resource['service.instance.id'], writer);
    if (i > 0) t.true(Number(point.value) >= Number(totals[i - 1]!.value));
  }
  t.is(one.agent.status().reconnects + three.agent.status().reconnects, 0);
});

function isPart(expected: Record<string, number>, values: Record<string, number>): boolean {
  return Object.entries(expected).every(([key, value]) => values[key] === value);
}

function isSame(values: Record<string, number>, expected: Record<string, number>): boolean {
  return isPart(expected, values) && Object.keys(values).length === Object.keys(expected).length;
}

test('what a view drops leaves by no reader, and everything else passes', async (t) => {
  const sink = await startHttpSink();
  t.teardown(() => sink.stop());
  const collector = await startCollector(t, {
    readers: [otlpReader('otlp_http', sink, { intervalMs: 50 })],
    views: [{ selector: { unit: '{job}', instrumentType: 'counter' }, stream: { aggregation: 'drop' } }],
  });
  await startShop(t, collector, 'one', 'eu', 10);
  await sink.waitFor(() => Object.keys(valuesOf(sink)).length === 4, 'what passes');
  t.deepEqual(Object.keys(valuesOf(sink)).sort(), [
    'jobs.load{one,1}',
    'jobs.load{one,2}',
    'jobs.open{one,1}',
    'jobs.open{one,2}',
  ]);
  t.false(sink.points.some(({ name }) => name === counts.name));
  const metrics = await fetch(`http://${collector.addresses.http}/metrics`);
  t.notRegex(await metrics.text(), /^jobs_done/m);
});
