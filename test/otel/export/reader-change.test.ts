import test, { type ExecutionContext } from 'ava';
import { PeriodicReader, type PeriodicReaderChange } from '../../../otel/export/periodic-reader.ts';
import type { QueueLimits } from '../../../otel/export/queue-limits.ts';
import type { SendResult } from '../../../otel/export/request-sender.ts';
import type { ReceivedPoint } from '../../sinks/received-points.ts';
import { GrowingSums } from './growing-sums.ts';
import { recordingLog } from './recording-log.ts';
import { ok, ScriptedSender, throttled, unavailable } from './scripted-sender.ts';
import { VirtualClock } from './virtual-clock.ts';

const minuteMs = 60_000;
const plenty: QueueLimits = { maxBytes: 2 ** 26, maxAgeMs: 24 * 60 * minuteMs, whenFull: 'coalesce' };
const noHistory: QueueLimits = { ...plenty, maxBytes: 0 };

/** A reader of an interval of a minute that sends to a first backend, and the settings that it has. */
function setUp(
  temporality: 'delta' | 'cumulative',
  queue: QueueLimits,
  answer: (request: number) => SendResult | 'hang' = () => ok,
  series = 3,
) {
  const clock = new VirtualClock();
  const sums = new GrowingSums(temporality, series);
  const sender = new ScriptedSender(answer);
  const { log } = recordingLog();
  const settings: PeriodicReaderChange = {
    intervalMs: minuteMs,
    timeoutMs: 10_000,
    exportTimeoutMs: minuteMs,
    queue,
    sender,
  };
  const reader = new PeriodicReader({
    ...settings,
    name: 'test',
    temporality,
    collect: (timeUs) => {
      sums.add();
      return sums.collect(timeUs);
    },
    sender,
    log,
    clock,
    retry: { random: () => 1 },
  });
  return { clock, sums, sender, reader, settings };
}

const ofFirst = (rows: ReceivedPoint[]) => rows.filter(({ attributes }) => attributes.series === '0');
const total = (rows: ReceivedPoint[]) => rows.reduce((sum, { value }) => sum + Number(value), 0);

const ways = { delta: plenty, cumulative: noHistory } as const;

for (const temporality of ['delta', 'cumulative'] as const) {
  test(`${temporality}: a shorter interval holds at once, and a longer one from the next export on`, async (t) => {
    const { clock, sender, reader, settings } = setUp(temporality, ways[temporality]);
    reader.start();
    await clock.advance(10 * minuteMs);
    t.is(sender.sent.length, 10);
    reader.change({ ...settings, intervalMs: 10_000 });
    await clock.advance(minuteMs);
    t.is(sender.sent.length, 16, 'every ten seconds, not first after a minute');
    reader.change({ ...settings, intervalMs: 5 * minuteMs });
    await clock.advance(10_000);
    t.is(sender.sent.length, 17, 'what was due is still due');
    await clock.advance(10 * minuteMs);
    t.is(sender.sent.length, 19);
    await reader.stop();
    t.is(clock.pending, 0);
  });
}

test('delta: what waits goes to the new backend in order, with its bytes, and nothing is lost', async (t) => {
  const { clock, sums, sender, reader, settings } = setUp('delta', plenty, () => unavailable);
  reader.start();
  await clock.advance(5 * minuteMs);
  t.is(reader.status.queue.collections, 5);
  const asked = sender.sent.length;
  const other = new ScriptedSender(() => ok);
  reader.change({ ...settings, sender: other });
  await clock.advance(1000);
  t.is(reader.status.queue.collections, 0, 'the back-off was for the other backend');
  t.is(sender.sent.length, asked);
  t.true(sender.isClosed);
  t.deepEqual(other.sent[0]!.bytes, sender.sent[0]!.bytes, 'the same interval, the same bytes');
  const rows = ofFirst(other.delivered);
  for (let i = 1; i < rows.length; i++) t.is(rows[i]!.start, rows[i - 1]!.time);
  t.is(total(rows), sums.totals[0]);
  for (const line of reader.ledger()) t.true(line.isBalanced, JSON.stringify(line));
  t.is(reader.status.counts.pointsExported, 15);
  await reader.stop();
  t.true(other.isClosed);
});

test("a server's wish to wait is not one for the next server", async (t) => {
  const { clock, sender, reader, settings } = setUp('delta', plenty, () => throttled(250_000));
  reader.start();
  await clock.advance(minuteMs + 1000);
  t.is(sender.sent.length, 1);
  const other = new ScriptedSender(() => ok);
  reader.change({ ...settings, sender: other });
  await clock.advance(1000);
  t.is(other.sent.length, 1);
  await reader.stop();
});

test('a try that is under way ends as it began, and its sender is closed then, others at once', async (t) => {
  const { clock, sender, reader, settings } = setUp('delta', plenty, () => 'hang');
  reader.start();
  await clock.advance(minuteMs + 1000);
  const [second, third] = [new ScriptedSender(() => ok), new ScriptedSender(() => ok)];
  reader.change({ ...settings, sender: second });
  reader.change({ ...settings, sender: third });
  t.deepEqual([sender.isClosed, second.isClosed, third.isClosed], [false, true, false]);
  await clock.advance(12_000);
  t.deepEqual([sender.isClosed, third.isClosed], [true, false]);
  t.is(third.sent.length, 1);
  t.deepEqual(third.sent[0]!.bytes, sender.sent[0]!.bytes);
  await reader.stop();
});

test('the size of requests and the room of the queue are those of what comes next', async (t) => {
  const { clock, sender, reader, settings } = setUp('delta', plenty, () => ok, 60);
  reader.start();
  await clock.advance(minuteMs);
  t.is(sender.sent.length, 1);
  reader.change({ ...settings, maxRequestBytes: 1024, queue: { ...plenty, maxBytes: 4096 } });
  t.is(reader.status.queue.maxBytes, 4096);
  await clock.advance(minuteMs);
  t.true(sender.sent.length > 2, 'split');
  for (const { bytes } of sender.sent.slice(1)) t.true(bytes.length <= 1024);
  await reader.stop();
});

function refused(t: ExecutionContext, change: Partial<PeriodicReaderChange>, message: RegExp): void {
  const { reader, settings, sender } = setUp('cumulative', noHistory);
  t.throws(() => reader.change({ ...settings, sender: new ScriptedSender(() => ok), ...change }), {
    message,
  });
  t.false(sender.isClosed, 'nothing has changed');
}
test('an interval out of range is refused', refused, { intervalMs: 0 }, /intervalMs is 0/);
test('room for history is not made in place', refused, { queue: plenty }, /goes on with room or without/);

test('what a reader that is no more had waiting is lost, and booked as such', async (t) => {
  const { clock, reader } = setUp('delta', plenty, () => unavailable);
  reader.start();
  await clock.advance(3 * minuteMs);
  await reader.stop();
  reader.giveUp();
  t.is(reader.status.queue.collections, 0);
  t.is(reader.status.counts.pointsFailed, 9);
  for (const line of reader.ledger()) t.true(line.isBalanced, JSON.stringify(line));
});
