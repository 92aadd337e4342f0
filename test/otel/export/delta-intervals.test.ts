import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { DeltaIntervals } from '../../../otel/export/delta-intervals.ts';
import { intervalsLoader } from '../../../otel/export/delta-intervals-section.ts';
import type { Encode } from '../../../otel/export/encoding-in-turns.ts';
import type { IntervalJournal } from '../../../otel/export/interval-journal.ts';
import { OutputLedger } from '../../../otel/export/output-ledger.ts';
import { otlpEncode } from '../../../otel/export/periodic-reader-options.ts';
import { defaultQueue } from '../../../otel/export/queue-limits.ts';
import { ReaderLog } from '../../../otel/export/reader-log.ts';
import { ReaderRecord } from '../../../otel/export/reader-status.ts';
import { SectionsLoading } from '../../../otel/snapshot/load-sections.ts';
import type { SnapshotChunk } from '../../../otel/snapshot/snapshot-chunk.ts';
import { SnapshotError } from '../../../otel/snapshot/snapshot-error.ts';
import { SnapshotWriter } from '../../../otel/snapshot/snapshot-writer.ts';
import { longestTurnMs } from '../../../otel/turns.ts';
import { decodeExportRequest } from '../../sinks/export-request.ts';
import { receivedPoints } from '../../sinks/received-points.ts';
import { bornUs, DeltaWorld } from './delta-world.ts';
import { recordingLog } from './recording-log.ts';
import { VirtualClock } from './virtual-clock.ts';

type Event =
  | { kind: 'report'; series: number; amount: number }
  | { kind: 'began'; timeUs: number; maxRequestBytes: number }
  | { kind: 'steps'; count: number }
  | { kind: 'answered'; count: number };

const maxRequestBytes = 1024;

/** Each step takes so long that a turn has a few of them only. */
function slowly(encode: Encode): Encode {
  return function* (collection, onDropped, maxBytes) {
    for (const step of encode(collection, onDropped, maxBytes)) {
      const until = performance.now() + longestTurnMs / 3;
      while (performance.now() < until);
      yield step;
    }
  };
}

function intervalsOf(world: DeltaWorld, journal?: IntervalJournal, encode = otlpEncode()) {
  const ledger = new OutputLedger();
  const record = new ReaderRecord({});
  const intervals = new DeltaIntervals({
    name: 'delta',
    collect: world.collect,
    encode,
    maxRequestBytes,
    limits: defaultQueue.delta,
    clock: new VirtualClock(),
    books: { record, log: new ReaderLog(recordingLog().log, 'delta'), ledger },
    journal,
  });
  return { intervals, ledger, record };
}

function recorder(events: Event[]): IntervalJournal {
  return {
    began: (timeUs, maxBytes) => events.push({ kind: 'began', timeUs, maxRequestBytes: maxBytes }),
    steps: (count) => events.push({ kind: 'steps', count }),
    answered: (count) => events.push({ kind: 'answered', count }),
  };
}

function replay(world: DeltaWorld, intervals: DeltaIntervals, events: readonly Event[]): void {
  for (const event of events) {
    if (event.kind === 'report') world.report(event.series, event.amount);
    else if (event.kind === 'began') intervals.replayBegan(event.timeUs, event.maxRequestBytes);
    else if (event.kind === 'steps') intervals.replaySteps(event.count);
    else intervals.replayAnswered(event.count);
  }
}

/** The bytes of all requests that wait, interval by interval. */
function waiting(intervals: DeltaIntervals): string[][] {
  return intervals.waiting.map(({ requests }) =>
    requests.map(({ bytes }) => Buffer.from(bytes).toString('hex')),
  );
}

interface Plan {
  series: number;
  /** For each interval: reports before it, reports at each turn of it, and how many requests are answered during it. */
  intervals: { before: number[]; during: number[]; answers: number }[];
}

const plans: fc.Arbitrary<Plan> = fc.record({
  series: fc.integer({ min: 1, max: 36 }),
  intervals: fc.array(
    fc.record({
      before: fc.array(fc.nat(100), { maxLength: 5 }),
      during: fc.array(fc.nat(100), { maxLength: 5 }),
      answers: fc.nat(4),
    }),
    { minLength: 1, maxLength: 4 },
  ),
});

/** A life: the events that a journal has of it, and each interval's requests as they were made. */
async function live({ series, intervals: plan }: Plan) {
  const events: Event[] = [];
  const world = new DeltaWorld(series);
  const { intervals } = intervalsOf(world, recorder(events), slowly(otlpEncode()));
  const made: string[][] = [];
  const report = (at: number): void => {
    const event = { kind: 'report' as const, series: at, amount: at + 1 };
    events.push(event);
    world.report(event.series, event.amount);
  };
  for (const [i, { before, during, answers }] of plan.entries()) {
    before.forEach(report);
    const collected = intervals.collect(bornUs + (i + 1) * 1e7);
    for (let turn = 0; intervals.isMaking; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (!intervals.isMaking) break;
      if (turn < during.length) report(during[turn]!);
      if (turn < answers && intervals.first !== undefined) intervals.answered(true);
    }
    const interval = await collected;
    if (interval !== undefined && i === made.length)
      made.push(interval.requests.map(({ bytes }) => Buffer.from(bytes).toString('hex')));
  }
  return { events, world, intervals, made };
}

function values(requests: readonly string[], series: number): number[] {
  const sums = Array.from({ length: series }, () => 0);
  for (const { attributes, value } of receivedPoints(
    requests.map((hex) => decodeExportRequest(Buffer.from(hex, 'hex'))),
  ))
    sums[Number(attributes.series)]! += Number(value);
  return sums;
}

function load(chunks: readonly SnapshotChunk[], intervals: DeltaIntervals): void {
  const loading = new SectionsLoading(
    new Map([[65, intervalsLoader((name) => (name === intervals.name ? intervals : undefined))]]),
  );
  for (const chunk of chunks) loading.take(chunk);
  loading.end();
}

function chunksOf(intervals: DeltaIntervals, fullBytes?: number): SnapshotChunk[] {
  const chunks: SnapshotChunk[] = [];
  for (const { type, key, bytes } of intervals.picture().chunks(new SnapshotWriter(fullBytes), 3))
    chunks.push({ type, key, bytes: Uint8Array.from(bytes) });
  return chunks;
}

test('replayed over the same state, intervals are equal to the byte', async (t) => {
  t.timeout(30_000);
  let turns = 0;
  await fc.assert(
    fc.asyncProperty(plans, async (plan) => {
      const { events, intervals } = await live(plan);
      turns += events.filter(({ kind }) => kind === 'steps').length;
      const world = new DeltaWorld(plan.series);
      const again = intervalsOf(world, recorder([])).intervals;
      replay(world, again, events);
      t.deepEqual(waiting(again), waiting(intervals));
      t.is(world.holders, 0);
    }),
    { numRuns: 15 },
  );
  t.true(turns > 30, `${turns} turns: intervals were made between reports`);
});

test('cut anywhere, an interval goes on where it was, and every increment is in one interval', async (t) => {
  t.timeout(30_000);
  let halfMade = 0;
  await fc.assert(
    fc.asyncProperty(plans, fc.nat(), async (plan, at) => {
      const { events, made } = await live(plan);
      const left = events.slice(0, at % (events.length + 1));
      const world = new DeltaWorld(plan.series);
      const more: Event[] = [];
      const { intervals, ledger } = intervalsOf(world, recorder(more));
      replay(world, intervals, left);
      if (intervals.isMaking) halfMade++;
      const answered = left.reduce((sum, event) => sum + (event.kind === 'answered' ? event.count : 0), 0);
      const flat = made.flat();
      const whole = waiting(intervals).flat();
      t.deepEqual(whole, flat.slice(answered, answered + whole.length), 'those that were made are the same');
      await intervals.resume();
      await intervals.collect(bornUs + 1e9);
      const all = [...flat.slice(0, answered), ...waiting(intervals).flat()];
      t.deepEqual(values(all, plan.series), world.totals);
      const ends = new Map<unknown, bigint>();
      for (const row of receivedPoints(all.map((hex) => decodeExportRequest(Buffer.from(hex, 'hex'))))) {
        const end = ends.get(row.attributes.series);
        if (end !== undefined) t.is(row.start, end, 'intervals abut');
        ends.set(row.attributes.series, row.time);
      }
      for (const line of ledger.figures()) t.true(line.isBalanced, JSON.stringify(line));
      // What goes on is recorded too: a second restart ends where this one did.
      const second = new DeltaWorld(plan.series);
      const { intervals: third } = intervalsOf(second, recorder([]));
      replay(second, third, [...left, ...more]);
      t.deepEqual(waiting(third), waiting(intervals));
    }),
    { numRuns: 16 },
  );
  t.true(halfMade > 0, 'some were cut in an interval');
});

test('a snapshot at any moment between intervals, and the rest of the journal, give the same', async (t) => {
  t.timeout(30_000);
  await fc.assert(
    fc.asyncProperty(plans, fc.nat(), fc.integer({ min: 8, max: 300 }), async (plan, at, fullBytes) => {
      const { events, intervals } = await live(plan);
      const world = new DeltaWorld(plan.series);
      const before = intervalsOf(world, recorder([]));
      let cut = at % (events.length + 1);
      replay(world, before.intervals, events.slice(0, cut));
      while (before.intervals.isMaking) replay(world, before.intervals, events.slice(cut, ++cut));
      const after = intervalsOf(world.copy(), recorder([]));
      const copy = world.copy();
      const restored = intervalsOf(copy, recorder([]));
      load(chunksOf(before.intervals, fullBytes), restored.intervals);
      t.deepEqual(waiting(restored.intervals), waiting(before.intervals));
      t.deepEqual(restored.intervals.figures, { ...before.intervals.figures });
      replay(copy, restored.intervals, events.slice(cut));
      t.deepEqual(waiting(restored.intervals), waiting(intervals));
      restored.intervals.finishReplay();
      const points = (ledger: OutputLedger) =>
        ledger.figures().reduce((sum, { collected, waiting: left, isBalanced }) => {
          t.true(isBalanced && collected === left);
          return sum + left;
        }, 0);
      t.is(points(restored.ledger), restored.intervals.figures.points);
      t.is(points(after.ledger), 0);
    }),
    { numRuns: 15 },
  );
});

test('turns are told before the state is let go, and before anything else runs', async (t) => {
  const events: string[] = [];
  const world = new DeltaWorld(30);
  let steps = 0;
  const encode: Encode = function* (...given) {
    for (const step of slowly(otlpEncode())(...given)) {
      steps++;
      yield step;
    }
    steps++;
  };
  const { intervals } = intervalsOf(
    world,
    {
      began: (timeUs, maxBytes) => events.push(`began ${timeUs - bornUs} ${maxBytes}, ${world.holders} hold`),
      steps: (count) => {
        steps -= count;
        events.push(`${steps} untold, ${world.holders} hold`);
      },
      answered: () => {},
    },
    encode,
  );
  let others = 0;
  const other = setInterval(() => {
    others++;
    t.is(steps, 0, 'all steps are told when others run');
  }, 0);
  const collected = intervals.collect(bornUs + 5);
  const whenMade = intervals.whenMade();
  t.throws(() => intervals.picture(), { message: /half-made/ });
  await whenMade;
  t.false(intervals.isMaking);
  await collected;
  clearInterval(other);
  t.true(others > 0);
  t.is(events[0], 'began 5 1024, 0 hold');
  t.true(events.length > 3);
  for (const event of events.slice(1)) t.is(event, '0 untold, 1 hold');
  t.is(world.holders, 0);
});

test('a request size that was changed since holds for later intervals only', async (t) => {
  const events: Event[] = [];
  const world = new DeltaWorld(60);
  const { intervals } = intervalsOf(world, recorder(events));
  world.report(3, 4);
  await intervals.collect(bornUs + 1e7);
  const other = new DeltaWorld(60);
  const replayed = new DeltaIntervals({
    name: 'delta',
    collect: other.collect,
    encode: otlpEncode(),
    maxRequestBytes: 64 * 1024,
    limits: defaultQueue.delta,
    clock: new VirtualClock(),
    books: {
      record: new ReaderRecord({}),
      log: new ReaderLog(recordingLog().log, 'delta'),
      ledger: new OutputLedger(),
    },
  });
  other.report(3, 4);
  replay(other, replayed, events);
  t.true(intervals.waiting[0]!.requests.length > 1);
  t.deepEqual(waiting(replayed), waiting(intervals));
  await replayed.collect(bornUs + 2e7);
  t.is(replayed.waiting[1]!.requests.length, 1);
});

test('a picture keeps what it refers to, whatever is answered meanwhile', async (t) => {
  const world = new DeltaWorld(20);
  const { intervals } = intervalsOf(world);
  world.report(1, 1);
  await intervals.collect(bornUs + 1e7);
  const before = waiting(intervals);
  const picture = intervals.picture();
  const restored = intervalsOf(new DeltaWorld(20)).intervals;
  for (let { first } = intervals; first !== undefined; first = intervals.first) {
    first.requests[0]!.release?.();
    intervals.answered(true);
  }
  world.report(2, 7);
  await intervals.collect(bornUs + 2e7);
  const chunks: SnapshotChunk[] = [];
  for (const chunk of picture.chunks(new SnapshotWriter(), 0))
    chunks.push({ ...chunk, bytes: Uint8Array.from(chunk.bytes) });
  load(chunks, restored);
  t.deepEqual(waiting(restored), before);
});

test('what a reader left that is no more holds nothing', async (t) => {
  const world = new DeltaWorld(5);
  const { intervals, record } = intervalsOf(world);
  await intervals.collect(bornUs + 1);
  intervals.replayBegan(bornUs + 2, 1024);
  intervals.replaySteps(1);
  const whenMade = intervals.whenMade();
  t.is(world.holders, 1);
  intervals.abandon();
  await whenMade;
  t.is(world.holders, 0);
  t.is(intervals.figures.points, 0);
  t.is(record.counts.pointsFailed, 5);
});

function wrong(t: ExecutionContext, message: RegExp, run: (intervals: DeltaIntervals) => void): void {
  t.throws(() => run(intervalsOf(new DeltaWorld(5)).intervals), { message });
}

test('a journal of something else is an error', (t) => {
  wrong(t, /4 steps are recorded and none has begun/, (intervals) => intervals.replaySteps(4));
  wrong(t, /2 more requests are recorded as answered/, (intervals) => intervals.replayAnswered(2));
  wrong(t, /more steps are recorded/, (intervals) => {
    intervals.replayBegan(bornUs + 1, 1024);
    intervals.replaySteps(500);
  });
  wrong(t, /another one begins/, (intervals) => {
    intervals.replayBegan(bornUs + 1, 1024);
    intervals.replaySteps(1);
    intervals.replayBegan(bornUs + 2, 1024);
  });
});

test('a snapshot that is damaged, or of something else, is an error that says where', async (t) => {
  const world = new DeltaWorld(80);
  const { intervals } = intervalsOf(world);
  world.report(1, 1);
  await intervals.collect(bornUs + 1e7);
  const fresh = () => intervalsOf(new DeltaWorld(80)).intervals;
  const chunks = chunksOf(intervals, 100);
  t.true(chunks.length > 3);
  t.throws(() => load(chunks.slice(0, -1), fresh()), { message: /last chunk is missing/ });
  t.throws(() => load([chunks[0]!, ...chunks.slice(2)], fresh()), { message: /chunk 1 is missing/ });
  const newer = Uint8Array.from(chunks[0]!.bytes);
  newer[1] = 2;
  t.throws(() => load([{ ...chunks[0]!, bytes: newer }], fresh()), { message: /reads version 1/ });
  const loading = new SectionsLoading(new Map([[65, intervalsLoader(() => undefined)]]));
  t.throws(() => loading.take(chunks[0]!), { message: /there is no delta reader "delta"/ });
  const [only] = chunksOf(intervals);
  fc.assert(
    fc.property(fc.nat(only!.bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const bytes = Uint8Array.from(only!.bytes);
      bytes[at]! ^= flip;
      try {
        load([{ ...only!, bytes }], fresh());
      } catch (error) {
        t.true(error instanceof SnapshotError, String(error));
      }
    }),
    { numRuns: 300 },
  );
});
