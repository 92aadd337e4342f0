import test, { type ExecutionContext } from 'ava';
import type { IntervalJournal } from '../../../otel/export/interval-journal.ts';
import { PeriodicReader, type PeriodicReaderOptions } from '../../../otel/export/periodic-reader.ts';
import type { QueueLimits } from '../../../otel/export/queue-limits.ts';
import type { ReceivedPoint } from '../../sinks/received-points.ts';
import { GrowingSums } from './growing-sums.ts';
import { recordingLog } from './recording-log.ts';
import { ok, ScriptedSender, unavailable } from './scripted-sender.ts';
import { VirtualClock } from './virtual-clock.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const plenty: QueueLimits = { maxBytes: 2 ** 26, maxAgeMs: 24 * hourMs, whenFull: 'coalesce' };
/** What one collection of three sums needs of the limit, about. */
const collectionBytes = 800;

/** A reader of an interval of a minute, and a backend that can be down. */
function setUp(
  temporality: 'delta' | 'cumulative',
  queue: QueueLimits,
  more: Partial<PeriodicReaderOptions> = {},
) {
  const clock = new VirtualClock();
  const sums = new GrowingSums(temporality);
  const backend = { isDown: false };
  const sender = new ScriptedSender(() => (backend.isDown ? unavailable : ok));
  const points: Record<string, number> = {};
  const { log, entries } = recordingLog();
  let delivered = 0;
  const reader = new PeriodicReader({
    name: 'test',
    intervalMs: minuteMs,
    temporality,
    collect: (timeUs) => {
      sums.add();
      return sums.collect(timeUs);
    },
    onDelivered: () => {
      delivered++;
    },
    observer: {
      points: (outcome, count, cause) => {
        points[`${outcome} ${cause}`.trim()] = (points[`${outcome} ${cause}`.trim()] ?? 0) + count;
      },
    },
    queue,
    sender,
    log,
    clock,
    retry: { random: () => 1 },
    ...more,
  });
  return { clock, sums, backend, sender, reader, points, entries, deliveries: () => delivered };
}

function of(rows: ReceivedPoint[], series: number): ReceivedPoint[] {
  return rows.filter(({ attributes }) => attributes.series === `${series}`);
}

const total = (rows: ReceivedPoint[]) => rows.reduce((sum, { value }) => sum + Number(value), 0);

function assertAbut(t: ExecutionContext, rows: ReceivedPoint[]): void {
  for (let i = 1; i < rows.length; i++) t.is(rows[i]!.start, rows[i - 1]!.time);
}

function assertBalanced(t: ExecutionContext, reader: PeriodicReader): void {
  for (const line of reader.ledger()) t.true(line.isBalanced, JSON.stringify(line));
}

test('delta: hours without a backend cost no interval, and they come in order afterwards', async (t) => {
  const { clock, sums, backend, sender, reader, deliveries } = setUp('delta', plenty);
  reader.start();
  await clock.advance(5 * minuteMs);
  t.is(deliveries(), 5);
  backend.isDown = true;
  await clock.advance(6 * hourMs);
  const { queue, counts } = reader.status;
  t.like(queue, { collections: 360, requests: 360, points: 1080, maxBytes: 2 ** 26 });
  t.is(queue.oldestAgeMs, 359 * minuteMs);
  t.true(queue.bytes > 360 * 100);
  t.is(counts.collections, 365);
  assertBalanced(t, reader);
  t.is(deliveries(), 5);
  backend.isDown = false;
  await clock.advance(10 * minuteMs);
  t.is(reader.status.queue.collections, 0);
  t.is(reader.status.counts.pointsExported, reader.status.counts.collections * 3);
  const rows = of(sender.delivered, 2);
  assertAbut(t, rows);
  for (const { start, time } of rows.slice(1)) t.is(time - start!, 60_000_000_000n, 'each of a minute');
  t.is(total(rows), sums.totals[2]);
  t.true(deliveries() > 5);
  await reader.stop();
  t.is(clock.pending, 0);
});

test('delta: without room intervals grow longer, none is lost, and the bound holds', async (t) => {
  const maxBytes = 4 * collectionBytes;
  const { clock, sums, backend, sender, reader, points } = setUp('delta', { ...plenty, maxBytes });
  reader.start();
  backend.isDown = true;
  for (let hour = 0; hour < 5; hour++) {
    await clock.advance(hourMs);
    const { queue } = reader.status;
    t.true(queue.collections >= 2 && queue.bytes <= maxBytes, JSON.stringify(queue));
  }
  const { collections } = reader.status.counts;
  t.true(collections < 8);
  backend.isDown = false;
  // What was joined is collected as soon as there is room, not at the next interval.
  while (reader.status.counts.collections === collections) await clock.advance(1000);
  await clock.advance(10 * minuteMs);
  const rows = of(sender.delivered, 1);
  assertAbut(t, rows);
  t.is(total(rows), sums.totals[1]);
  const longest = Math.max(...rows.map(({ start, time }) => Number(time - start!)));
  t.true(longest > 4 * hourMs * 1e6, 'one interval has most of the outage');
  t.deepEqual(Object.keys(points), ['exported']);
  await reader.stop();
});

test('delta: what waits for too long is dropped and counted, the rest adds up', async (t) => {
  const { clock, sums, backend, sender, reader, points, entries } = setUp('delta', {
    ...plenty,
    maxAgeMs: hourMs,
  });
  reader.start();
  await clock.advance(minuteMs);
  backend.isDown = true;
  await clock.advance(3 * hourMs);
  t.true(reader.status.queue.oldestAgeMs <= hourMs + minuteMs);
  t.true(reader.status.queue.collections <= 61);
  backend.isDown = false;
  await clock.advance(5 * minuteMs);
  const { pointsDropped, pointsExported, collections } = reader.status.counts;
  t.true(pointsDropped >= 3 * 118 && pointsDropped <= 3 * 122);
  t.is(points['dropped too_old'], pointsDropped);
  t.is(pointsDropped + pointsExported, collections * 3);
  assertBalanced(t, reader);
  // Series 0 counts one at each collection: each interval that was dropped is one less.
  t.is(total(of(sender.delivered, 0)), sums.totals[0]! - pointsDropped / 3);
  t.is(entries.filter(({ fields }) => fields.cause === 'too_old').length, 1, 'said once');
  await reader.stop();
});

test('cumulative without room: the newest state only, as long as it takes', async (t) => {
  const { clock, sums, backend, sender, reader, points } = setUp('cumulative', { ...plenty, maxBytes: 0 });
  reader.start();
  backend.isDown = true;
  await clock.advance(30 * hourMs);
  t.like(reader.status.queue, { collections: 0, bytes: 0 });
  backend.isDown = false;
  await clock.advance(2 * minuteMs);
  t.true(of(sender.delivered, 0).length <= 3);
  t.is(Number(of(sender.delivered, 0).at(-1)!.value), sums.totals[0]);
  t.deepEqual(Object.keys(points).sort(), ['exported', 'superseded newer_state']);
  await reader.stop();
});

test('cumulative history: when it is full it is thinned evenly, and the newest is there', async (t) => {
  const maxBytes = 40 * collectionBytes;
  const { clock, sums, backend, sender, reader, points } = setUp('cumulative', { ...plenty, maxBytes });
  reader.start();
  await clock.advance(minuteMs);
  backend.isDown = true;
  await clock.advance(10 * hourMs);
  const { queue } = reader.status;
  t.true(queue.bytes <= maxBytes && queue.collections >= 20, JSON.stringify(queue));
  t.is(queue.oldestAgeMs, 10 * hourMs - minuteMs, 'from the beginning of the outage');
  assertBalanced(t, reader);
  backend.isDown = false;
  await clock.advance(minuteMs);
  const rows = of(sender.delivered, 0);
  const minutes = rows.map(({ value }) => Number(value));
  t.deepEqual(
    minutes,
    minutes.toSorted((a, b) => a - b),
    'in order',
  );
  t.is(minutes.at(-1), sums.totals[0]);
  const gaps = minutes.slice(1).map((at, i) => at - minutes[i]!);
  t.true(Math.max(...gaps) <= 600 / (queue.collections / 4), `gaps of ${gaps.join(', ')} minutes`);
  const { counts } = reader.status;
  t.is(points['superseded coalesced'], counts.pointsSuperseded);
  t.is(counts.pointsSuperseded + counts.pointsExported, counts.collections * 3);
  await reader.stop();
});

test('cumulative history: drop_oldest keeps the latest, and counts the others', async (t) => {
  const limits: QueueLimits = { ...plenty, maxBytes: 10 * collectionBytes, whenFull: 'drop_oldest' };
  const { clock, sums, backend, sender, reader, points, entries } = setUp('cumulative', limits);
  reader.start();
  backend.isDown = true;
  await clock.advance(3 * hourMs);
  const { collections } = reader.status.queue;
  backend.isDown = false;
  await clock.advance(minuteMs);
  const minutes = of(sender.delivered, 0).map(({ value }) => Number(value));
  t.is(minutes.at(-1), sums.totals[0]);
  // The one that was being tried, and then one a minute.
  const latest = minutes.slice(1, collections);
  t.deepEqual(
    latest,
    latest.map((_, i) => latest[0]! + i),
  );
  t.is(latest.at(-1), 180);
  t.is(points['dropped queue_full'], reader.status.counts.pointsDropped);
  t.is(entries.filter(({ fields }) => fields.cause === 'queue_full').length, 1);
  assertBalanced(t, reader);
  await reader.stop();
});

test('cumulative history: one collection that is larger than the bound is kept all the same', async (t) => {
  const { clock, sums, backend, sender, reader } = setUp('cumulative', { ...plenty, maxBytes: 1 });
  reader.start();
  backend.isDown = true;
  await clock.advance(hourMs);
  // The one that is being tried, and the newest.
  t.is(reader.status.queue.collections, 2);
  backend.isDown = false;
  await clock.advance(minuteMs);
  t.is(Number(of(sender.delivered, 0).at(-1)!.value), sums.totals[0]);
  await reader.stop();
});

test('cumulative history: a drain gives up what is old for what is new', async (t) => {
  const { clock, sums, backend, sender, reader, points } = setUp('cumulative', plenty);
  reader.start();
  backend.isDown = true;
  await clock.advance(hourMs);
  t.is(reader.status.queue.collections, 60);
  backend.isDown = false;
  const send = sender.send.bind(sender);
  sender.send = async (bytes, signal) => {
    await new Promise<void>((resolve) => clock.setTimeout(resolve, 1500));
    return send(bytes, signal);
  };
  const drained = reader.drain(20_000);
  await clock.advance(20_000);
  t.true((await drained).delivered);
  t.true(points['superseded newer_state']! > 100, 'there was no time for all');
  t.is(Number(of(sender.delivered, 0).at(-1)!.value), sums.totals[0]);
  assertBalanced(t, reader);
  t.is(clock.pending, 0);
});

type Event = [keyof IntervalJournal, ...number[]];

function recorder(events: Event[]): IntervalJournal {
  return {
    began: (...given) => events.push(['began', ...given]),
    steps: (...given) => events.push(['steps', ...given]),
    answered: (...given) => events.push(['answered', ...given]),
  };
}

test('delta: what waits on the disk is not lost with the process, and the next one repeats its bytes', async (t) => {
  const events: Event[] = [];
  const first = setUp('delta', plenty, { journal: recorder(events) });
  first.reader.start();
  await first.clock.advance(3 * minuteMs);
  first.backend.isDown = true;
  await first.clock.advance(30 * minuteMs);
  const drained = first.reader.drain(5000);
  await first.clock.advance(5000);
  t.like(await drained, { delivered: false, pointsUndelivered: 0, pointsKept: 90 });
  assertBalanced(t, first.reader);
  t.is(events.filter(([kind]) => kind === 'answered').length, 3);

  const more: Event[] = [];
  const second = setUp('delta', plenty, { journal: recorder(more) });
  await second.clock.advance(40 * minuteMs);
  const intervals = second.reader.intervals!;
  for (const [kind, a, b] of events) {
    if (kind === 'began') intervals.replayBegan(a!, b!);
    else if (kind === 'steps') intervals.replaySteps(a!);
    else intervals.replayAnswered(a!);
  }
  intervals.finishReplay();
  assertBalanced(t, second.reader);
  t.is(second.reader.status.counts.pointsExported, 0);
  t.true(second.reader.status.queue.oldestAgeMs >= 36 * minuteMs, 'it has waited since it was collected');
  second.reader.start();
  await second.clock.advance(2 * minuteMs);
  const tried = Buffer.from(first.sender.sent.at(-1)!.bytes).toString('hex');
  t.is(Buffer.from(second.sender.sent[0]!.bytes).toString('hex'), tried, 'the same bytes');
  const rows = [...of(first.sender.delivered, 2), ...of(second.sender.delivered, 2)];
  assertAbut(t, rows);
  t.is(total(rows), second.sums.totals[2]);
  t.is(more.filter(([kind]) => kind === 'answered').length, 32, 'all that was delivered is told');
  assertBalanced(t, second.reader);
  await second.reader.stop();
});

test('delta: an interval that a kill left half-made is finished before the next one begins', async (t) => {
  const events: Event[] = [];
  const { clock, sender, reader, sums } = setUp('delta', plenty, { journal: recorder(events) });
  const intervals = reader.intervals!;
  intervals.replayBegan(clock.nowUs(), 3.5 * 2 ** 20);
  intervals.finishReplay();
  t.true(intervals.isMaking);
  reader.start();
  await intervals.whenMade();
  await clock.advance(0);
  t.is(sender.sent.length, 1, 'and sent at once');
  t.is(events[0]![0], 'steps');
  await clock.advance(minuteMs);
  assertAbut(t, of(sender.delivered, 0));
  t.is(total(of(sender.delivered, 0)), sums.totals[0]);
  await reader.stop();
});

test('impossible limits are refused with name and value', (t) => {
  t.throws(() => setUp('delta', { ...plenty, maxBytes: -1 }), { message: /queue.maxBytes is -1/ });
  t.throws(() => setUp('delta', { ...plenty, maxAgeMs: 0 }), { message: /queue.maxAgeMs is 0/ });
});
