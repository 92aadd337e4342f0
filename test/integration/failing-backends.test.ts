import test from 'ava';
import { until } from '../interop/until.ts';
import { type Fault, faults } from '../sinks/fault-plan.ts';
import { startGrpcSink } from '../sinks/grpc-sink.ts';
import { startHttpSink } from '../sinks/http-sink.ts';
import { type ReceivedPoint, receivedPoints } from '../sinks/received-points.ts';
import { CountingSource, counts } from './counting-source.ts';
import { otlpReader, startAgent, startCollector } from './in-process.ts';
import { mergesAnew } from './merged.ts';

const kinds = [
  ['otlp_grpc', startGrpcSink],
  ['otlp_http', startHttpSink],
] as const;

/** How long a backend that hangs is waited for. */
const hangMs = 2000;

const ours = ({ name }: ReceivedPoint): boolean => name === counts.name;

/** How a backend fails, and what the collector must say of it afterwards. */
const troubles: readonly {
  readonly name: string;
  readonly fault: Fault;
  /** The count of the reader that the fault must move. */
  readonly count?: 'pointsRejected' | 'pointsFailed';
}[] = [
  { name: 'unavailable', fault: 'unavailable' },
  { name: 'throttle', fault: { throttleMs: 700 } },
  { name: 'partial success', fault: { rejected: 1, message: 'one too many' }, count: 'pointsRejected' },
  { name: 'invalid', fault: 'invalid', count: 'pointsFailed' },
  { name: 'close', fault: 'close' },
  { name: 'garbage', fault: 'garbage' },
  { name: 'hang', fault: 'hang' },
];

test('backends that fail recover by themselves, and delay neither the others nor the streams', async (t) => {
  const timesOf = new Map<string, number[]>();
  const started = await Promise.all(
    kinds.flatMap(([kind, start]) =>
      troubles.map(async ({ name, fault, count }) => {
        const sink = await start();
        t.teardown(() => sink.stop());
        const label = `${kind} ${name}`;
        const times: number[] = [];
        timesOf.set(label, times);
        const plan = faults('ok', fault);
        sink.plan = (request) => {
          times.push(performance.now());
          return plan(request);
        };
        return { kind, label, sink, name, count };
      }),
    ),
  );
  const dead = await startGrpcSink();
  await dead.stop();
  const healthy = await startHttpSink();
  t.teardown(() => healthy.stop());
  const healthyTimes: number[] = [];
  healthy.plan = () => {
    healthyTimes.push(performance.now());
    return 'ok';
  };
  const collector = await startCollector(t, {
    readers: [
      ...started.map(({ kind, label, sink, name }) =>
        otlpReader(kind, sink, {
          name: label,
          temporality: 'delta',
          intervalMs: 400,
          timeoutMs: name === 'hang' ? hangMs : 5000,
        }),
      ),
      otlpReader('otlp_grpc', dead, { name: 'dead' }),
      otlpReader('otlp_http', healthy, { name: 'healthy' }),
    ],
  });
  const source = new CountingSource();
  const counter = source.add(counts);
  const agent = await startAgent(t, collector.addresses.grpc, {
    id: 'a',
    sources: [source.definition()],
  });

  // Whenever the collector hears of the counter first, nothing stands on it that could be a baseline.
  await mergesAnew(collector, agent);
  // The agent counts all the while, and its reports are merged.
  const mergeTimes: number[] = [];
  let merged = 0;
  const counting = setInterval(() => {
    counter.value++;
    const { lastReport } = collector.agents()[0]!;
    if (lastReport === merged) return;
    merged = lastReport;
    mergeTimes.push(performance.now());
  }, 10);
  t.teardown(() => clearInterval(counting));
  await Promise.all(
    started.map(({ sink, label }) =>
      sink.waitFor(({ attempts }) => attempts.length >= 4, `four tries at ${label}`, 30_000),
    ),
  );
  clearInterval(counting);
  const total = counter.value;
  const sumOf = (points: readonly ReceivedPoint[]): number =>
    [...new Map(points.filter(ours).map((point) => [point.start, point])).values()].reduce(
      (sum, { value }) => sum + Number(value),
      0,
    );
  const lostBy = (label: string): number => {
    const { sink, count } = started.find((one) => one.label === label)!;
    if (count !== 'pointsFailed') return 0;
    // What the backend refused for good is gone, and the collector says so.
    return sumOf(
      sink.attempts
        .filter(({ fault }) => fault === 'invalid')
        .flatMap(({ request }) => receivedPoints([request])),
    );
  };
  for (const { sink, label } of started)
    await until(() => sumOf(sink.points) + lostBy(label) === total, `${label} has all ${total}`);

  for (const { sink, label, name, count } of started) {
    // A retry repeats the interval and its value.
    const byInterval = Map.groupBy(
      sink.attempts.flatMap(({ request }) => receivedPoints([request])).filter(ours),
      ({ start }) => start,
    );
    const intervals = [...byInterval.values()];
    for (const tries of intervals)
      t.is(new Set(tries.map(({ time, value }) => `${time} ${value}`)).size, 1, label);
    for (const [i, [point]] of intervals.entries())
      if (i > 0) t.is(point!.start, intervals[i - 1]![0]!.time, label);
    const find = async () =>
      (await statusOf(collector.addresses.admin)).exports.find((one) => one.name === label)!;
    await until(async () => (await find()).failuresInARow === 0, `${label} is well again`);
    const status = await find();
    if (count !== undefined) t.true(status.counts[count] > 0, `${label}: ${count}`);
    const others = ['pointsRejected', 'pointsFailed', 'pointsDropped'].filter((each) => each !== count);
    for (const other of others) t.is(status.counts[other], 0, `${label}: ${other}`);
    if (name !== 'throttle') continue;
    const times = timesOf.get(label)!;
    t.true(times[2]! - times[1]! >= 700, `${label} waited ${times[2]! - times[1]!} ms`);
  }

  // While a backend let the collector wait, the others and the agent did not.
  for (const [kind] of kinds) {
    const [, from] = timesOf.get(`${kind} hang`)! as [number, number];
    const isMeanwhile = (time: number): boolean => time >= from && time < from + hangMs;
    t.true(healthyTimes.filter(isMeanwhile).length >= 3, `${kind}: exports elsewhere`);
    t.true(mergeTimes.filter(isMeanwhile).length >= 3, `${kind}: reports`);
  }
  t.is(agent.status().reconnects, 0);
  const readers = (await statusOf(collector.addresses.admin)).readers;
  t.like(
    readers.find(({ name }) => name === 'dead'),
    { state: 'failing', points: 0 },
  );
  t.like(
    readers.find(({ name }) => name === 'healthy'),
    { state: 'ok', droppedPoints: 0, error: '' },
  );
});

interface Status {
  readonly readers: readonly { readonly name: string; readonly state: string; readonly points: number }[];
  readonly exports: readonly {
    readonly name: string;
    readonly failuresInARow: number;
    readonly counts: Readonly<Record<string, number>>;
  }[];
}

async function statusOf(admin: string): Promise<Status> {
  const response = await fetch(`http://${admin}/status`, { signal: AbortSignal.timeout(30_000) });
  return (await response.json()) as Status;
}
