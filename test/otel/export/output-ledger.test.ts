import test from 'ava';
import fc from 'fast-check';
import { OutputLedger } from '../../../otel/export/output-ledger.ts';
import { PeriodicReader } from '../../../otel/export/periodic-reader.ts';
import type { SendResult } from '../../../otel/export/request-sender.ts';
import { metric } from '../../../otel/model/metric.ts';
import type { Collection } from '../../../otel/state/point-batch.ts';
import { collectionOf } from '../otlp/model-collection.ts';
import { recordingLog } from './recording-log.ts';
import { ok, refused, ScriptedSender, throttled, unavailable } from './scripted-sender.ts';
import { VirtualClock } from './virtual-clock.ts';

const partial: SendResult = { kind: 'success', partialSuccess: { rejected: 2, message: 'old' } };

/** Three metrics, each in two resources, one point of the last too large for a request. */
function fleet(sizes: readonly number[], timeUs: number): Collection {
  const streams = sizes.map((size, m) => ({
    metric: metric({ name: `metric.${m}`, kind: 'gauge' }),
    temporality: undefined,
    points: Array.from({ length: size }, (_, i) => ({
      attributes: { series: m === 2 && i === 1 ? 'x'.repeat(2000) : `${i}` },
      startUs: 0,
      timeUs,
      flags: 0,
      value: i,
      counts: [],
      sum: 0,
      min: 0,
      max: 0,
    })),
  }));
  return collectionOf(
    ['a', 'b'].map((name) => ({ attributes: { 'service.name': name }, scopes: [{ name: 's', streams }] })),
  );
}

test('every point that is read has one outcome or waits, by metric, at any moment', async (t) => {
  t.timeout(30_000);
  const answer = fc.constantFrom<SendResult | 'hang'>(
    ok,
    ok,
    partial,
    unavailable,
    refused,
    throttled(3000),
    'hang',
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('delta' as const, 'cumulative' as const),
      fc.array(answer, { maxLength: 20 }),
      fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 3, maxLength: 3 }),
      fc.nat(3),
      async (temporality, plan, sizes, failing) => {
        const clock = new VirtualClock();
        const sender = new ScriptedSender((request) => plan[request] ?? ok);
        let collections = 0;
        const read = new Map<string, number>();
        const reader = new PeriodicReader({
          name: 'test',
          intervalMs: 10_000,
          timeoutMs: 2000,
          maxRequestBytes: 1024,
          temporality,
          collect: (timeUs) => {
            if (++collections === failing) throw new Error('no state');
            sizes.forEach((size, m) => {
              read.set(`metric.${m}`, (read.get(`metric.${m}`) ?? 0) + 2 * size);
            });
            return fleet(sizes, timeUs);
          },
          sender,
          log: recordingLog().log,
          clock,
          retry: { random: () => 1 },
        });
        reader.start();
        for (let i = 0; i < 12; i++) {
          await clock.advance(2700);
          for (const line of reader.ledger()) t.true(line.isBalanced, JSON.stringify(line));
        }
        const drained = reader.drain(60_000);
        await clock.advance(60_000);
        await drained;
        const lines = reader.ledger();
        const delivered = Map.groupBy(sender.delivered, ({ name }) => name);
        for (const line of lines) {
          t.true(line.isBalanced);
          t.is(line.waiting, 0);
          if (line.metric === '') continue;
          t.is(line.collected, read.get(line.metric) ?? -1);
          // What was refused of a request with several metrics is on the line without a name.
          t.is(line.exported + line.rejected, delivered.get(line.metric)?.length ?? 0, line.metric);
        }
        const sum = (of: (line: (typeof lines)[number]) => number) =>
          lines.reduce((all, line) => all + of(line), 0);
        const { counts } = reader.status;
        t.is(
          sum(({ exported }) => exported),
          counts.pointsExported,
        );
        t.is(
          sum(({ rejected }) => rejected),
          counts.pointsRejected,
        );
        t.is(
          sum(({ failed }) => failed),
          counts.pointsFailed,
        );
        t.is(
          sum(({ superseded }) => superseded),
          counts.pointsSuperseded,
        );
        t.is(
          sum(({ dropped }) => dropped),
          counts.pointsDropped,
        );
      },
    ),
    { numRuns: 60 },
  );
});

test('points that are waiting are told apart, and a lost one would show', (t) => {
  const ledger = new OutputLedger();
  ledger.collected('a', 5);
  ledger.begin(() => new Map([['a', 2]]));
  t.like(ledger.figures()[0], { collected: 5, waiting: 2, isBalanced: false });
  ledger.settle('exported', new Map([['a', 3]]));
  t.like(ledger.figures()[0], { exported: 3, waiting: 2, isBalanced: true });
});

test('metrics beyond the bound share a line', (t) => {
  const ledger = new OutputLedger();
  for (let i = 0; i < 10_010; i++) ledger.collected(`m${i}`, 1);
  ledger.begin(() => new Map(Array.from({ length: 10_010 }, (_, i) => [`m${i}`, 1])));
  const figures = ledger.figures();
  t.is(figures.length, 10_001);
  t.true(figures.every(({ isBalanced }) => isBalanced));
  t.is(figures.find(({ metric: name }) => name === '')?.waiting, 10);
});
