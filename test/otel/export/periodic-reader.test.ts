import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { PeriodicReader, type PeriodicReaderOptions } from '../../../otel/export/periodic-reader.ts';
import type { SendResult } from '../../../otel/export/request-sender.ts';
import type { ReceivedPoint } from '../../sinks/received-points.ts';
import { GrowingSums } from './growing-sums.ts';
import { recordingLog } from './recording-log.ts';
import { ok, refused, ScriptedSender, throttled, unavailable } from './scripted-sender.ts';
import { VirtualClock } from './virtual-clock.ts';

function setUp(
  temporality: 'delta' | 'cumulative',
  answer: ScriptedSender['answer'] = () => ok,
  more: Partial<PeriodicReaderOptions> = {},
) {
  const clock = new VirtualClock();
  const sums = new GrowingSums(temporality);
  const sender = new ScriptedSender(answer);
  const { log, entries } = recordingLog();
  const reader = new PeriodicReader({
    name: 'test',
    intervalMs: 10_000,
    timeoutMs: 2000,
    temporality,
    collect: (timeUs) => {
      sums.add();
      return sums.collect(timeUs);
    },
    sender,
    log,
    clock,
    retry: { random: () => 1 },
    ...more,
  });
  return { clock, sums, sender, reader, entries };
}

/** The last value of each series, and for delta the sum of all. */
function totals(rows: ReceivedPoint[], temporality: 'delta' | 'cumulative'): number[] {
  const result: number[] = [];
  for (const { attributes, value } of rows) {
    const i = Number(attributes.series);
    result[i] = Number(value) + (temporality === 'delta' ? (result[i] ?? 0) : 0);
  }
  return result;
}

function assertChained(t: ExecutionContext, rows: ReceivedPoint[]): void {
  const ends = new Map<unknown, bigint>();
  for (const { attributes, start, time } of rows) {
    const end = ends.get(attributes.series);
    if (end !== undefined) t.is(start, end, 'an interval begins where the one before it ended');
    ends.set(attributes.series, time);
  }
}

test('exports at each interval and not before', async (t) => {
  const { clock, sender, reader } = setUp('cumulative');
  reader.start();
  await clock.advance(9999);
  t.is(sender.sent.length, 0);
  await clock.advance(1);
  t.is(sender.sent.length, 1);
  await clock.advance(20_000);
  t.is(sender.sent.length, 3);
  t.like(reader.status, { state: 'waiting', failuresInARow: 0, lastError: undefined });
  t.like(reader.status.counts, { collections: 3, requests: 3, pointsExported: 9, pointsFailed: 0 });
  await reader.stop();
  t.is(clock.pending, 0);
  t.true(sender.isClosed);
});

test('cumulative: what waits for a retry at the next interval is superseded by the newest state', async (t) => {
  const { clock, sums, sender, reader } = setUp('cumulative', (request) => (request < 6 ? unavailable : ok));
  reader.start();
  await clock.advance(60_000);
  const { counts } = reader.status;
  t.true(counts.pointsSuperseded > 0);
  t.is(counts.pointsSuperseded + counts.pointsExported, counts.collections * 3);
  t.is(counts.pointsFailed, 0);
  await reader.drain(5000);
  t.deepEqual(totals(sender.delivered, 'cumulative'), sums.totals);
});

test('cumulative: a backend that is slow but works gets all requests of a collection', async (t) => {
  const clock = new VirtualClock();
  const slow = (): Promise<SendResult> => new Promise((resolve) => clock.setTimeout(() => resolve(ok), 1500));
  const sums = new GrowingSums('cumulative', 200);
  const sender = new ScriptedSender(slow);
  const reader = new PeriodicReader({
    name: 'slow',
    intervalMs: 1000,
    timeoutMs: 2000,
    maxRequestBytes: 1024,
    temporality: 'cumulative',
    collect: (timeUs) => sums.collect(timeUs),
    sender,
    log: recordingLog().log,
    clock,
  });
  reader.start();
  await clock.advance(60_000);
  t.true(reader.status.counts.requests >= 30);
  t.is(reader.status.counts.pointsSuperseded, 0);
  t.true(reader.status.counts.pointsExported >= 200);
  await reader.stop();
});

for (const [temporality, tries, superseded] of [
  ['cumulative', 2, 3],
  ['delta', 4, 0],
] as const)
  test(`${temporality}: the export's timeout ends retries of what a newer state replaces, and of nothing else`, async (t) => {
    const { clock, sender, reader } = setUp(temporality, () => unavailable, { exportTimeoutMs: 2500 });
    reader.start();
    // Tries after 10, 11, 13 and 17 s, but for those after 12.5 s.
    await clock.advance(19_900);
    t.is(sender.sent.length, tries);
    t.is(reader.status.counts.pointsSuperseded, superseded);
    await reader.stop();
  });

test('delta: a failed interval is repeated with its bytes, and without room nothing is collected meanwhile', async (t) => {
  const { clock, sums, sender, reader } = setUp(
    'delta',
    (request) => (request >= 1 && request < 6 ? unavailable : ok),
    { queue: { maxBytes: 0, maxAgeMs: 86_400_000, whenFull: 'coalesce' } },
  );
  reader.start();
  await clock.advance(45_000);
  t.is(reader.status.counts.collections, 2);
  await clock.advance(10_000);
  const repeated = sender.sent.slice(1, 7).map(({ bytes }) => Buffer.from(bytes).toString('hex'));
  t.is(new Set(repeated).size, 1, 'six tries of the same bytes');
  t.is(reader.status.counts.pointsSuperseded, 0);
  await reader.drain(5000);
  t.deepEqual(totals(sender.delivered, 'delta'), sums.totals);
  assertChained(t, sender.delivered);
});

test('conservation: whatever a backend does, delta adds up, and cumulative ends at the truth', async (t) => {
  t.timeout(30_000);
  const failure = fc.constantFrom<SendResult | 'hang'>(
    ok,
    unavailable,
    throttled(3000),
    throttled(15_000),
    'hang',
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('delta' as const, 'cumulative' as const),
      fc.array(failure, { maxLength: 12 }),
      async (temporality, plan) => {
        const { clock, sums, sender, reader } = setUp(temporality, (request) => plan[request] ?? ok);
        reader.start();
        await clock.advance(100_000);
        const drained = reader.drain(300_000);
        await clock.advance(300_000);
        t.true((await drained).delivered);
        t.deepEqual(totals(sender.delivered, temporality), sums.totals);
        if (temporality === 'delta') assertChained(t, sender.delivered);
        const { counts } = reader.status;
        t.is(counts.pointsExported + counts.pointsSuperseded, counts.collections * 3);
        t.is(clock.pending, 0);
      },
    ),
    { numRuns: 25 },
  );
});

test('permanent failures are counted as failed, and the next interval is tried', async (t) => {
  const { clock, sender, reader, entries } = setUp('delta', (request) => (request === 0 ? refused : ok));
  reader.start();
  await clock.advance(20_000);
  t.like(reader.status.counts, { pointsFailed: 3, pointsExported: 3, retries: 0 });
  t.is(sender.sent.length, 2);
  t.deepEqual(
    entries.map(({ level, fields }) => [level, fields.code]),
    [
      ['error', 'INVALID_ARGUMENT'],
      ['info', undefined],
    ],
  );
  await reader.stop();
});

test('partial success is counted and logged once', async (t) => {
  const partial: SendResult = { kind: 'success', partialSuccess: { rejected: 2, message: 'too old' } };
  const { clock, reader, entries } = setUp('cumulative', () => partial);
  reader.start();
  await clock.advance(30_000);
  t.like(reader.status.counts, { pointsExported: 3, pointsRejected: 6, pointsFailed: 0 });
  t.deepEqual(
    entries.map(({ level, fields }) => [level, fields.rejectedPoints, fields.reason]),
    [['warn', 2, 'too old']],
  );
  await reader.stop();
});

test("the server's delay holds for newer state too", async (t) => {
  const { clock, sender, reader } = setUp(
    'cumulative',
    (request) => (request === 0 ? throttled(60_000) : ok),
    {
      retry: { random: () => 0 },
    },
  );
  reader.start();
  await clock.advance(69_000);
  t.is(sender.sent.length, 1);
  t.is(reader.status.state, 'retrying');
  await clock.advance(2000);
  t.is(sender.sent.length, 2);
  t.is(totals(sender.delivered, 'cumulative')[0], reader.status.counts.collections, 'the newest state');
  await reader.stop();
});

test('an outage is one warning and its end one info', async (t) => {
  const { clock, reader, entries } = setUp('cumulative', (request) => (request < 8 ? unavailable : ok));
  reader.start();
  await clock.advance(200_000);
  t.deepEqual(
    entries.map(({ level }) => level),
    ['warn', 'info'],
  );
  await reader.stop();
});

test('collect that throws is counted and said, and the reader goes on', async (t) => {
  let calls = 0;
  const sums = new GrowingSums('cumulative');
  const collect = (timeUs: number) => {
    if (calls++ === 0) throw new Error('no state yet');
    return sums.collect(timeUs);
  };
  const { clock, sender, reader, entries } = setUp('cumulative', () => ok, { collect });
  reader.start();
  await clock.advance(10_000);
  t.like(reader.status, { lastError: { code: 'COLLECT', message: 'no state yet' } });
  await clock.advance(10_000);
  t.is(sender.sent.length, 1);
  t.is(reader.status.counts.collectionsFailed, 1);
  t.is(entries[0]?.level, 'error');
  await reader.stop();
});

test('drain exports the last state and says so', async (t) => {
  const { clock, sums, sender, reader } = setUp('cumulative');
  reader.start();
  await clock.advance(3000);
  const result = await reader.drain(1000);
  t.deepEqual(result, {
    delivered: true,
    pointsDelivered: 3,
    pointsUndelivered: 0,
    pointsKept: 0,
    error: undefined,
  });
  t.deepEqual(totals(sender.delivered, 'cumulative'), sums.totals);
  t.is(reader.status.state, 'stopped');
  t.true(sender.isClosed);
  t.is(await reader.drain(1000), result, 'repeated');
});

for (const temporality of ['cumulative', 'delta'] as const) {
  for (const answer of [unavailable, 'hang'] as const) {
    test(`drain gives up at its deadline: ${temporality}, ${answer === 'hang' ? 'hang' : 'unavailable'}`, async (t) => {
      const { clock, reader } = setUp(temporality, () => answer);
      reader.start();
      await clock.advance(11_000);
      const drained = reader.drain(3000);
      await clock.advance(3000);
      const result = await drained;
      t.like(result, { delivered: false, pointsDelivered: 0, pointsUndelivered: 3 });
      t.is(typeof result.error, 'string');
      t.is(clock.pending, 0);
    });
  }
}

test('drain before start exports once; stop is safe before start and when repeated', async (t) => {
  const { reader, sender } = setUp('delta');
  t.like(await reader.drain(1000), { delivered: true, pointsDelivered: 3 });
  t.is(sender.sent.length, 1);
  const other = setUp('delta');
  await other.reader.stop();
  await other.reader.stop();
  other.reader.start();
  await other.clock.advance(20_000);
  t.is(other.sender.sent.length, 0);
  t.like(await other.reader.drain(1000), { delivered: false, pointsDelivered: 0 });
});

test('stop in the middle of a try counts what is lost', async (t) => {
  const { clock, reader } = setUp('delta', () => 'hang');
  reader.start();
  await clock.advance(10_500);
  await reader.stop();
  t.is(reader.status.counts.pointsFailed, 3);
  t.is(clock.pending, 0);
});

test('the signal given to start stops the reader', async (t) => {
  const { clock, reader, sender } = setUp('cumulative');
  const abort = new AbortController();
  reader.start(abort.signal);
  await clock.advance(10_000);
  abort.abort();
  await clock.advance(60_000);
  t.is(sender.sent.length, 1);
  t.is(reader.status.state, 'stopped');
});

test('the observer sees what the counts say', async (t) => {
  const seen: Record<string, number> = {};
  const add = (key: string, n: number): void => {
    seen[key] = (seen[key] ?? 0) + n;
  };
  const { clock, reader } = setUp(
    'cumulative',
    (request) => (request === 0 ? unavailable : request === 2 ? refused : ok),
    {
      observer: {
        points: (outcome, points, cause) => add(`${outcome} ${cause}`, points),
        request: (_, bytes, code) => add(`request ${code}`, bytes > 0 ? 1 : 0),
        retry: (_, code) => add(`retry ${code}`, 1),
        collection: (_, points) => add('collected', points),
      },
    },
  );
  reader.start();
  await clock.advance(20_000);
  t.deepEqual(seen, {
    collected: 6,
    'request UNAVAILABLE': 1,
    'retry UNAVAILABLE': 1,
    'request ': 1,
    'exported ': 3,
    'request INVALID_ARGUMENT': 1,
    'failed INVALID_ARGUMENT': 3,
  });
  await reader.stop();
});

test('impossible options are refused with name and value', (t) => {
  t.throws(() => setUp('delta', () => ok, { intervalMs: 0 }), { message: /intervalMs is 0/ });
  t.throws(() => setUp('delta', () => ok, { timeoutMs: Number.NaN }), { message: /timeoutMs is NaN/ });
});
