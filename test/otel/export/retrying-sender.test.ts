import test, { type ExecutionContext } from 'ava';
import { SendError, type SendResult } from '../../../otel/export/request-sender.ts';
import { RetryingSender, type RetryPolicy } from '../../../otel/export/retrying-sender.ts';
import { ok, refused, ScriptedSender, throttled, unavailable } from './scripted-sender.ts';
import { VirtualClock } from './virtual-clock.ts';

const bytes = Buffer.from('x');
const never = new AbortController().signal;

function setUp(answers: (SendResult | 'hang')[], policy: RetryPolicy = { random: () => 1 }) {
  const clock = new VirtualClock();
  const sender = new ScriptedSender((request) => answers[request] ?? ok);
  const attemptTimes: number[] = [];
  const delays: number[] = [];
  const observer = {
    attempt: () => void attemptTimes.push(clock.monotonicMs()),
    retry: (delayMs: number) => void delays.push(Math.round(delayMs)),
  };
  return {
    clock,
    sender,
    attemptTimes,
    delays,
    retrying: new RetryingSender(sender, 5000, observer, policy, clock),
  };
}

test('delays double up to the cap, and a success resets them', async (t) => {
  const down = Array.from({ length: 8 }, () => unavailable);
  const { clock, retrying, delays } = setUp([...down, ok, unavailable, ok], {
    random: () => 1,
    initialMs: 1000,
    maxMs: 10_000,
  });
  const first = retrying.send(bytes, never, never);
  await clock.advance(600_000);
  t.is((await first).kind, 'success');
  const second = retrying.send(bytes, never, never);
  await clock.advance(10_000);
  t.is((await second).kind, 'success');
  t.deepEqual(delays, [1000, 2000, 4000, 8000, 10_000, 10_000, 10_000, 10_000, 1000]);
});

test('jitter takes up to half of a delay', async (t) => {
  const { clock, retrying, delays } = setUp([unavailable, unavailable], { random: () => 0 });
  const sent = retrying.send(bytes, never, never);
  await clock.advance(60_000);
  await sent;
  t.deepEqual(delays, [500, 1000]);
});

async function serverDelay(t: ExecutionContext, delayMs: number, expected: number): Promise<void> {
  const { clock, retrying, delays } = setUp([throttled(delayMs)], {
    random: () => 0,
    maxServerDelayMs: 60_000,
  });
  const sent = retrying.send(bytes, never, never);
  await clock.advance(120_000);
  await sent;
  t.deepEqual(delays, [expected]);
}
test("a server's delay is obeyed", serverDelay, 7000, 7000);
test("a server's delay is bounded above", serverDelay, 86_400_000, 60_000);
test("a server's delay of zero is no busy loop", serverDelay, 0, 100);

test('a permanent failure is not repeated', async (t) => {
  const { retrying, sender } = setUp([refused]);
  t.deepEqual(await retrying.send(bytes, never, never), refused);
  t.is(sender.sent.length, 1);
});

test('a try that takes too long is cancelled and repeated', async (t) => {
  const { clock, retrying, attemptTimes, sender } = setUp(['hang', ok]);
  const sent = retrying.send(bytes, never, never);
  await clock.advance(60_000);
  t.is((await sent).kind, 'success');
  t.deepEqual(attemptTimes, [5000, 6000]);
  t.is(sender.sent.length, 2);
});

test('without patience the failure is given back, and the next request waits out the back-off', async (t) => {
  const { clock, retrying, attemptTimes } = setUp([unavailable, unavailable, ok]);
  const patience = new AbortController();
  const first = retrying.send(bytes, never, patience.signal);
  await clock.advance(400);
  patience.abort();
  t.deepEqual(await first, unavailable);
  t.is(retrying.delayMs, 600);
  const wait = retrying.allowed();
  await clock.advance(600);
  await wait;
  t.is(retrying.delayMs, 0);
  const second = retrying.send(bytes, never, never);
  await clock.advance(10_000);
  t.is((await second).kind, 'success');
  t.deepEqual(attemptTimes, [0, 1000, 3000]);
});

test('hurry cuts our own back-off short and keeps the wish of the server', async (t) => {
  const impatient = AbortSignal.abort();
  const { retrying } = setUp([unavailable, throttled(9000)], { random: () => 0 });
  await retrying.send(bytes, never, impatient);
  t.is(retrying.delayMs, 500);
  retrying.hurry();
  t.is(retrying.delayMs, 0);
  await retrying.send(bytes, never, impatient);
  retrying.hurry();
  t.is(retrying.delayMs, 9000);
});

test('the signal ends a try and a wait, and leaves no timer', async (t) => {
  for (const answer of ['hang', unavailable] as const) {
    const { clock, retrying } = setUp([answer]);
    const stop = new AbortController();
    const sent = retrying.send(bytes, stop.signal, never);
    await clock.advance(100);
    stop.abort();
    t.is((await sent).kind, 'retryable');
    t.is(clock.pending, 0);
  }
});

test('a sender that throws is a bug, told once and not repeated', async (t) => {
  const { retrying, sender } = setUp([]);
  sender.send = () => Promise.reject(new Error('boom'));
  const result = await retrying.send(bytes, never, never);
  t.is(result.kind, 'permanent');
  t.true(
    result.kind === 'permanent' && result.error instanceof SendError && result.error.message.includes('boom'),
  );
});
