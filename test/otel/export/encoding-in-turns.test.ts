import test from 'ava';
import { EncodingInTurns } from '../../../otel/export/encoding-in-turns.ts';
import { PeriodicReader, type PeriodicReaderOptions } from '../../../otel/export/periodic-reader.ts';
import { type RequestSender, SendError, type SendResult } from '../../../otel/export/request-sender.ts';
import type { EncodedRequest } from '../../../otel/otlp/open-request.ts';
import type { Collection } from '../../../otel/state/point-batch.ts';
import { decodeExportRequest } from '../../sinks/export-request.ts';
import { receivedPoints } from '../../sinks/received-points.ts';
import { GrowingSums } from './growing-sums.ts';
import { recordingLog } from './recording-log.ts';
import { ok, ScriptedSender, unavailable } from './scripted-sender.ts';
import { VirtualClock } from './virtual-clock.ts';

const nothing: Collection = { timeUs: 1, resources: [] };

/** So many requests of one point, each after so many steps. Notes how many were made. */
function* requests(count: number, made: number[], stepsEach = 1): Generator<EncodedRequest | undefined> {
  for (let i = 0; i < count; i++) {
    for (let step = 1; step < stepsEach; step++) yield undefined;
    made.push(i);
    yield { bytes: Uint8Array.of(i), points: 1 };
  }
}

/** A collection that can be held: what it was asked for. */
function holdable() {
  const state = { holders: 0, awaited: () => {} };
  const collection: Collection = {
    ...nothing,
    hold: (onAwaited = () => {}) => {
      state.holders++;
      state.awaited = onAwaited;
      return () => {
        state.holders--;
      };
    },
  };
  return { state, collection };
}

async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
}

test('requests come in order, and are made when they are wanted, one ahead', async (t) => {
  const made: number[] = [];
  let read: number | undefined;
  const { state, collection } = holdable();
  const encoding = new EncodingInTurns(collection, requests(4, made), (points) => {
    read = points;
  });
  t.is((await encoding.next())?.bytes[0], 0);
  await settled();
  t.deepEqual(made, [0]);
  encoding.ahead();
  encoding.ahead();
  await settled();
  t.deepEqual(made, [0, 1], 'one ahead, however often it is asked');
  t.is((await encoding.next())?.bytes[0], 1);
  t.is((await encoding.next())?.bytes[0], 2);
  t.deepEqual([state.holders, read], [1, undefined]);
  t.is(await encoding.discard(), 1);
  t.is(await encoding.next(), undefined);
  t.deepEqual([state.holders, read], [0, 4]);
});

test('others run while much is encoded', async (t) => {
  const slowSteps = function* (): Generator<undefined> {
    for (let i = 0; i < 30; i++) {
      const until = performance.now() + 2;
      while (performance.now() < until);
      yield undefined;
    }
  };
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const encoding = new EncodingInTurns(nothing, slowSteps(), () => {});
  await encoding.keepAll();
  isOver = true;
  t.true(turns >= 10, `${turns} turns for others in 60 ms of work`);
});

test('when others wait for the state, what is left is encoded and the state let go', async (t) => {
  const made: number[] = [];
  const { state, collection } = holdable();
  const encoding = new EncodingInTurns(collection, requests(5, made, 3), () => {});
  t.is((await encoding.next())?.bytes[0], 0);
  state.awaited();
  state.awaited();
  await settled();
  t.deepEqual([made.length, state.holders], [5, 0]);
  const rest = [];
  for (let next = await encoding.next(); next !== undefined; next = await encoding.next())
    rest.push(next.bytes[0]);
  t.deepEqual(rest, [1, 2, 3, 4]);
});

test('closed before its end, it lets the state go and gives nothing more', async (t) => {
  const made: number[] = [];
  const { state, collection } = holdable();
  const encoding = new EncodingInTurns(collection, requests(5, made), () =>
    t.fail('it was not read to its end'),
  );
  await encoding.next();
  encoding.close();
  encoding.close();
  t.is(state.holders, 0);
  t.is(await encoding.next(), undefined);
  t.deepEqual(made, [0]);
});

test('a failure ahead is given to who asks for the request', async (t) => {
  const failing = function* (): Generator<EncodedRequest> {
    yield { bytes: Uint8Array.of(0), points: 1 };
    throw new Error('a column is missing');
  };
  const encoding = new EncodingInTurns(nothing, failing(), () => {});
  await encoding.next();
  encoding.ahead();
  await settled();
  for (let i = 0; i < 2; i++) await t.throwsAsync(() => encoding.next(), { message: 'a column is missing' });
});

function readerOf(
  temporality: 'delta' | 'cumulative',
  sender: RequestSender,
  more: Partial<PeriodicReaderOptions> = {},
) {
  const clock = new VirtualClock();
  const sums = new GrowingSums(temporality, 200);
  const reader = new PeriodicReader({
    name: 'test',
    intervalMs: 10_000,
    timeoutMs: 2000,
    maxRequestBytes: 1024,
    temporality,
    collect: (timeUs) => {
      sums.add();
      return sums.collect(timeUs);
    },
    sender,
    log: recordingLog().log,
    clock,
    retry: { random: () => 1 },
    ...more,
  });
  return { clock, sums, reader };
}

for (const [temporality, expected] of [
  ['cumulative', 2],
  ['delta', 10],
] as const) {
  test(`${temporality}: ${expected} of 10 requests are made when the first one is sent`, async (t) => {
    const made: number[] = [];
    const sender = new ScriptedSender(() => 'hang');
    const { clock, reader } = readerOf(temporality, sender, { encode: () => requests(10, made) });
    reader.start();
    await clock.advance(10_500);
    t.deepEqual([sender.sent.length, made.length], [1, expected]);
    await reader.stop();
    t.is(made.length, 10, 'what is lost is counted');
    t.is(reader.status.counts.pointsFailed, 10);
  });
}

test('cumulative: what was not even encoded is counted as superseded', async (t) => {
  const sender = new ScriptedSender((request) => (request < 4 ? unavailable : ok));
  const { clock, sums, reader } = readerOf('cumulative', sender);
  reader.start();
  await clock.advance(40_000);
  const { counts } = reader.status;
  t.true(counts.pointsSuperseded >= 200);
  t.is(counts.pointsSuperseded + counts.pointsExported, counts.collections * 200);
  t.is((await reader.drain(1000)).delivered, true);
  t.is(
    Number(sender.delivered.findLast(({ attributes }) => attributes.series === '7')?.value),
    sums.totals[7],
  );
});

test("a failure in the middle of a collection is counted, and the next interval's is whole", async (t) => {
  let collections = 0;
  const sender = new ScriptedSender();
  const { clock, reader } = readerOf('cumulative', sender, {
    encode: function* () {
      yield { bytes: Buffer.alloc(0), points: 3 };
      if (collections++ === 0) throw new Error('a column is missing');
      yield { bytes: Buffer.alloc(0), points: 4 };
    },
  });
  reader.start();
  await clock.advance(20_000);
  t.like(reader.status.counts, { collectionsFailed: 1, collections: 1, pointsExported: 10 });
  t.is(reader.status.lastError?.message, 'a column is missing');
  await reader.stop();
});

test('the memory of a request is used again, and never while somebody may read it', async (t) => {
  const memory: ArrayBufferLike[] = [];
  const hung: { bytes: Uint8Array; copy: Buffer }[] = [];
  const rows: unknown[] = [];
  const sender: RequestSender = {
    send: async (bytes, signal): Promise<SendResult> => {
      memory.push(bytes.buffer);
      const before = Buffer.from(bytes);
      if (memory.length === 3) {
        hung.push({ bytes, copy: before });
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        return { kind: 'retryable', error: new SendError('cancelled', 'CANCELLED') };
      }
      await new Promise((resolve) => setImmediate(resolve));
      t.deepEqual(Buffer.from(bytes), before, 'unchanged until the result is there');
      rows.push(...receivedPoints([decodeExportRequest(before)]));
      return ok;
    },
    close() {},
  };
  const { clock, reader } = readerOf('cumulative', sender);
  reader.start();
  for (let i = 0; i < 60; i++) await clock.advance(1000);
  // A drain would cut off what is under way.
  while (reader.status.state !== 'waiting') await clock.advance(0);
  await reader.drain(60_000);
  t.is(rows.length, reader.status.counts.pointsExported);
  t.true(memory.length > 30);
  t.true(new Set(memory).size <= 5);
  t.deepEqual(Buffer.from(hung[0]!.bytes), hung[0]!.copy, 'a try that was given up may still be read');
});
