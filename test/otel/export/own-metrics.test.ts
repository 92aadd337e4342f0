import test from 'ava';
import fc from 'fast-check';
import { PeriodicReader, type PeriodicReaderOptions } from '../../../otel/export/periodic-reader.ts';
import { SendError, type SendResult } from '../../../otel/export/request-sender.ts';
import type { ReceivedPoint } from '../../sinks/received-points.ts';
import { GrowingSums } from './growing-sums.ts';
import { recordingLog } from './recording-log.ts';
import { ok, refused, ScriptedSender, throttled, unavailable } from './scripted-sender.ts';
import { VirtualClock } from './virtual-clock.ts';

type Temporality = 'delta' | 'cumulative';
const temporalities = ['cumulative', 'delta'] as const;

/** A reader of state of three series and of two own ones, which both count on at each collection. */
function setUp(
  temporality: Temporality,
  answer: ScriptedSender['answer'] = () => ok,
  more: Partial<PeriodicReaderOptions> = {},
) {
  const clock = new VirtualClock();
  const state = new GrowingSums(temporality);
  const own = new GrowingSums(temporality, 2, 'own');
  const sender = new ScriptedSender(answer);
  let delivered = 0;
  const reader = new PeriodicReader({
    name: 'test',
    intervalMs: 10_000,
    timeoutMs: 2000,
    temporality,
    collect: (timeUs) => {
      state.add();
      return state.collect(timeUs);
    },
    collectOwn: async () => {
      own.add();
      return own.collect(clock.nowUs());
    },
    onDelivered: () => {
      delivered++;
    },
    sender,
    log: recordingLog().log,
    clock,
    retry: { random: () => 1 },
    ...more,
  });
  return { clock, state, own, sender, reader, deliveries: () => delivered };
}

function of(rows: ReceivedPoint[], service: string): ReceivedPoint[] {
  return rows.filter(({ resource }) => resource['service.name'] === service);
}

/** What the rows add up to, by series: the last value, or the sum of deltas. */
function totals(rows: ReceivedPoint[], temporality: Temporality): number[] {
  const result: number[] = [];
  for (const { attributes, value } of rows) {
    const i = Number(attributes.series);
    result[i] = Number(value) + (temporality === 'delta' ? (result[i] ?? 0) : 0);
  }
  return result;
}

for (const temporality of temporalities) {
  test(`${temporality}: own metrics leave at each interval, in requests of their own`, async (t) => {
    const { clock, sender, reader } = setUp(temporality);
    reader.start();
    await clock.advance(30_000);
    t.is(sender.sent.length, 6);
    t.is(of(sender.delivered, 'own').length, 6);
    t.is(of(sender.delivered, 'test').length, 9);
    for (const { bytes } of sender.sent) {
      const text = Buffer.from(bytes).toString('latin1');
      t.not(text.includes('own'), text.includes('test'), 'one or the other');
    }
    await reader.stop();
  });

  test(`${temporality}: what is not committed does not leave; own metrics do`, async (t) => {
    const { clock, own, sender, reader, deliveries } = setUp(temporality, () => ok, {
      committed: () => new Promise(() => {}),
    });
    reader.start();
    await clock.advance(15_000);
    t.is(reader.status.state, 'committing');
    await clock.advance(85_000);
    t.is(of(sender.delivered, 'test').length, 0);
    t.true(sender.sent.length >= 9, `${sender.sent.length} exports in ten intervals`);
    t.deepEqual(totals(of(sender.delivered, 'own'), temporality), own.totals);
    t.is(deliveries(), 0);
    const drained = reader.drain(5000);
    await clock.advance(5000);
    t.like(await drained, { delivered: false, pointsDelivered: 0 });
    t.deepEqual(totals(of(sender.delivered, 'own'), temporality), own.totals, 'the last ones too');
    t.is(clock.pending, 0);
  });

  test(`${temporality}: a request leaves when all that was read by then is committed`, async (t) => {
    const commits: (() => void)[] = [];
    const { clock, sender, reader, deliveries } = setUp(temporality, () => ok, {
      collectOwn: undefined,
      committed: () => new Promise((resolve) => commits.push(resolve)),
    });
    reader.start();
    await clock.advance(12_000);
    t.true(commits.length > 0);
    t.is(sender.sent.length, 0);
    for (const resolve of commits.splice(0)) resolve();
    await clock.advance(0);
    t.is(sender.sent.length, 1);
    t.is(deliveries(), 1);
    t.is(reader.status.state, 'waiting');
    await clock.advance(8000);
    t.is(sender.sent.length, 1, 'the next collection has a commit of its own');
    await reader.stop();
    t.is(clock.pending, 0);
  });

  test(`${temporality}: a backend that refuses own metrics, for now or for good, gets the others`, async (t) => {
    for (const failure of [unavailable, refused, throttled(500)]) {
      const { clock, sender, reader, state, deliveries } = setUp(temporality);
      const isOwn = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1').includes('own');
      const send = sender.send.bind(sender);
      sender.send = (bytes, signal): Promise<SendResult> => {
        sender.answer = () => (isOwn(bytes) ? failure : ok);
        return send(bytes, signal);
      };
      reader.start();
      await clock.advance(60_000);
      t.true(deliveries() >= 2);
      t.is(of(sender.delivered, 'own').length, 0);
      const before = of(sender.delivered, 'test').length;
      const drained = reader.drain(100_000);
      await clock.advance(100_000);
      const pointsDelivered = of(sender.delivered, 'test').length - before;
      t.like(await drained, { delivered: true, pointsDelivered, pointsUndelivered: 0 });
      t.deepEqual(totals(of(sender.delivered, 'test'), temporality), state.totals);
      for (const line of reader.ledger()) t.true(line.isBalanced, JSON.stringify(line));
    }
  });
}

test('cumulative: what waits for its commit at the next interval is superseded, and counted as that', async (t) => {
  const points: Record<string, number> = {};
  const { clock, reader } = setUp('cumulative', () => ok, {
    committed: () => new Promise(() => {}),
    observer: {
      points: (outcome, count, cause) => {
        points[`${outcome} ${cause}`] = (points[`${outcome} ${cause}`] ?? 0) + count;
      },
    },
  });
  reader.start();
  await clock.advance(30_500);
  t.is(points['superseded not_committed'], 6);
  await reader.stop();
  t.is(points['failed not_committed'], 3);
});

test('own metrics that cannot be collected are counted, and the others leave', async (t) => {
  const { clock, sender, reader } = setUp('cumulative', () => ok, {
    collectOwn: async () => {
      throw new Error('no meter');
    },
  });
  reader.start();
  await clock.advance(10_000);
  t.like(reader.status, { lastError: { code: 'COLLECT', message: 'no meter' } });
  t.is(of(sender.delivered, 'test').length, 3);
  await reader.stop();
});

test('own metrics: whatever a backend does, delta adds up, and cumulative ends at the truth', async (t) => {
  t.timeout(30_000);
  const hang: SendResult = { kind: 'retryable', error: new SendError('slow', 'DEADLINE_EXCEEDED') };
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...temporalities),
      fc.array(fc.constantFrom<SendResult | 'hang'>(ok, unavailable, throttled(3000), hang, 'hang'), {
        maxLength: 15,
      }),
      async (temporality, plan) => {
        const { clock, state, own, sender, reader } = setUp(temporality, (request) => plan[request] ?? ok);
        reader.start();
        for (let i = 0; i < 30; i++) {
          await clock.advance(4000);
          for (const line of reader.ledger()) t.true(line.isBalanced, JSON.stringify(line));
        }
        const drained = reader.drain(300_000);
        await clock.advance(300_000);
        t.true((await drained).delivered);
        t.deepEqual(totals(of(sender.delivered, 'test'), temporality), state.totals);
        t.deepEqual(totals(of(sender.delivered, 'own'), temporality), own.totals);
        t.is(clock.pending, 0);
      },
    ),
    { numRuns: 20 },
  );
});
