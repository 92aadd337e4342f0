import test from 'ava';
import fc from 'fast-check';
import { metric } from '../../../../otel/model/metric.ts';
import type { SnapshotChunk } from '../../../../otel/snapshot/snapshot-chunk.ts';
import { SnapshotError } from '../../../../otel/snapshot/snapshot-error.ts';
import { SnapshotWriter } from '../../../../otel/snapshot/snapshot-writer.ts';
import { exponentialValue } from '../../../otel/state/exponential-value.ts';
import { birthUs } from '../../core.ts';
import { view } from '../members.ts';
import { Bench } from './bench.ts';
import { views as allViews, catalogue } from './catalogue.ts';
import { chunksOf, dump } from './side.ts';

const jobs = metric({ name: 'jobs', kind: 'sum', isMonotonic: true });
test('a total does not fall below what was shown before, where another order of adding rounds lower', (t) => {
  const bench = new Bench([view({ resourceKeys: [], attributeKeys: { included: [] } })]);
  // In this order they are 1 + 2^-52; the small ones go first once the great one has been freed, and in its place they are lost.
  const slots = ['a', 'b', 'c'].map((id) => bench.define(id, jobs, {}));
  for (const [i, value] of [2 ** -53, 2 ** -53, 1].entries()) bench.counts(slots[i], value);
  const shown = bench.collect();
  t.true(shown[1].endsWith(` ${1 + 2 ** -52}`), shown[1]);
  bench.end(slots[2]);
  for (const reader of [1, 2]) bench.collect(reader);
  bench.wait(5);
  for (const reader of [0, 1, 2]) bench.collect(reader);
  bench.wait(5);
  t.is(bench.side.outputs.store.seriesCount, 2, 'the great one is freed');
  bench.restart();
  t.true(bench.collect()[1].endsWith(` ${1 + 2 ** -52}`));
});

test('the coarsest histogram that an output may come to is loaded', (t) => {
  const aggregation = {
    kind: 'base2_exponential_bucket_histogram',
    maxSize: 2,
    maxScale: 20,
    recordMinMax: true,
  } as const;
  const bench = new Bench([view({ resourceKeys: [], aggregation })]);
  const slot = bench.define('a', metric({ name: 'size', kind: 'exponential_histogram' }), {});
  const { exponentialHistograms } = bench.side.outputs.store;
  // The smallest doubles and the greatest ones: at the coarsest scale that is taken they are three buckets apart.
  exponentialHistograms.settle(slot, exponentialValue({ scale: -10, positive: [-2, [1, 0, 0, 2]] }));
  for (const reader of [0, 1]) bench.collect(reader);
  const coarsest = / -11 0 0 -1 1 2 \| 0$/;
  t.regex(bench.collect()[1], coarsest);
  bench.restart();
  t.regex(bench.collect()[1], coarsest);
});

test('points that return after they were forgotten begin later, and the fair share of members stays', (t) => {
  const bench = new Bench([view({ resourceKeys: [], cardinalityLimit: 21 })]);
  const first = bench.define('a', jobs, { n: 'first' });
  bench.counts(first, 1);
  bench.end(first);
  bench.wait(5);
  for (const reader of [0, 1, 2]) bench.collect(reader);
  bench.wait(5);
  for (const reader of [0, 1, 2]) bench.collect(reader);
  bench.wait(4000);
  for (const reader of [0, 1, 2]) bench.collect(reader);
  bench.wait(100);
  t.is(bench.side.outputs.points, 0);
  const forgottenUs = bench.nowUs;
  bench.restart();
  for (let i = 0; i < 30; i++) bench.counts(bench.define('a', jobs, { n: `${i}` }), 1);
  t.is(bench.side.outputs.points, 19, 'a tenth of 20 places is kept for others, and one is the overflow');
  bench.restart();
  bench.counts(bench.define('a', jobs, { n: 'more' }), 1);
  bench.counts(bench.define('b', jobs, { n: 'other' }), 1);
  t.is(bench.side.outputs.points, 20, 'b gets one');
  t.is(bench.side.outputs.overflowed, 13);
  const [, ...points] = bench.collect();
  t.true(
    points.every((point) => Number(point.split(' ')[3]) >= forgottenUs - 100e6),
    points[0],
  );
});

test('a snapshot is of one moment, however long it takes to write and whatever happens meanwhile', (t) => {
  const bench = new Bench([
    view({}),
    view({ name: 'all', resourceKeys: [], cardinalityLimit: 1_000_000 }),
    view({ name: 'host', attributeKeys: { included: ['long'] } }),
  ]);
  const long = 'x'.repeat(400);
  const slots: number[] = [];
  for (let i = 0; i < 2000; i++) {
    slots.push(bench.define(`m${i % 50}`, jobs, { long: `${long}${i % 7}`, i: `${i}` }));
    bench.counts(slots[i], i);
  }
  bench.collect(1);
  for (const slot of slots) bench.counts(slot, 3000);
  const { side } = bench;
  side.snapshot.take();
  const snapshot = side.outputs.snapshot();
  t.throws(() => side.outputs.snapshot(), { message: /still open/ });
  const writer = new SnapshotWriter();
  const chunks: SnapshotChunk[] = [];
  const keep = ({ type, key, bytes }: SnapshotChunk) => chunks.push({ type, key, bytes: bytes.slice() });
  for (const chunk of side.snapshot.write(writer)) keep(chunk);
  const before = chunks.length;
  // What one delta reader gets now is what the loaded side has yet to give it.
  const expected: string[] = [];
  let turn = 0;
  for (const chunk of snapshot.chunks(writer)) {
    keep(chunk);
    t.true(chunk.bytes.length <= 256 * 1024);
    if (++turn === 2) expected.push(...bench.collect(1));
    for (let i = 0; i < 20; i++) {
      const id = `m${(turn * 20 + i) % 60}`;
      bench.counts(bench.define(id, jobs, { long: `${long}${turn}`, new: `${turn} ${i}` }), 5);
    }
    bench.end(slots[turn]);
    bench.wait(2);
  }
  t.true(chunks.length - before > 3);
  bench.nowUs = birthUs;
  const loaded = bench.fresh().load(chunks).addReaders();
  t.is(loaded.outputs.store.seriesCount, 2000);
  const given = dump(loaded.outputs.collect(loaded.cursors[1], birthUs));
  const known = (lines: string[]) =>
    lines.flatMap((line) =>
      line.startsWith('  ') && !line.includes('3:new') ? [[line.split(' ')[2], line.split(' ').at(-1)]] : [],
    );
  t.is(known(given).length, 2000 * 2 + 50 * 7);
  t.is(known(expected).length > 2000, true);
  // Passing and joined points have one series each: of each, the difference from i to 3000.
  const sums = given.filter((line) => line.includes('1:i')).map((line) => Number(line.split(' ').at(-1)));
  t.is(
    sums.reduce((a, b) => a + b, 0),
    2 * slots.reduce((sum, _, i) => sum + Math.max(0, 3000 - i), 0),
  );
});

test('sweeps wait until a snapshot is closed, who holds it is told, and what is closed may be taken anew', (t) => {
  const bench = new Bench([]);
  const slot = bench.define('a', jobs, {});
  bench.counts(slot, 1);
  bench.end(slot);
  let told = 0;
  const snapshot = bench.side.outputs.snapshot(() => told++);
  for (const reader of [0, 1, 2]) bench.collect(reader);
  for (let i = 0; i < 12; i++) {
    bench.wait(1);
    for (const reader of [0, 1, 2]) bench.collect(reader);
  }
  t.is(bench.side.outputs.store.seriesCount, 1);
  t.true(told > 0);
  snapshot.close();
  snapshot.close();
  t.is(bench.side.outputs.store.seriesCount, 0);
  bench.side.outputs.snapshot().close();
});

test('readers go on by their names; those that are no more hold nothing up', (t) => {
  const bench = new Bench([view({}), view({ name: 'all', resourceKeys: [] })]);
  const slot = bench.define('a', jobs, {});
  bench.counts(slot, 10);
  bench.collect(1);
  bench.counts(slot, 15);
  const chunks = bench.save();
  const side = bench.fresh().load(chunks);
  const added = side.outputs.addReader('delta', 'new');
  const other = side.outputs.addReader('delta', 'other changes');
  const changes = side.outputs.addReader('delta', 'changes');
  bench.nowUs += 1e6;
  const last = (cursor: typeof added) =>
    dump(side.outputs.collect(cursor, bench.nowUs)).flatMap((line) => line.split(' ').at(-1)!);
  t.deepEqual(last(changes), ['delta', '5', 'delta', '5']);
  t.deepEqual(last(other), ['delta', '15', 'delta', '15']);
  t.deepEqual(last(added), ['delta', '15', 'delta', '15']);
  side.outputs.store.end(side.outputs.store.sums, slot, bench.nowUs);
  for (const cursor of [added, other, changes]) {
    bench.nowUs += 2e6;
    last(cursor);
    side.outputs.delivered(cursor);
  }
  t.is(side.outputs.sweep(), 1, 'the cumulative reader, which nobody claimed, is not waited for');
  // The one that nobody claimed is not saved, and the others' indexes close up.
  side.snapshot.take();
  const again = bench.fresh().load(chunksOf(side));
  t.deepEqual(
    ['changes', 'other changes', 'new'].map((name) => again.outputs.addReader('delta', name).collections),
    [3, 2, 2],
  );
  t.is(again.outputs.addReader('cumulative', 'all').collections, 0);
});

test('views that make something else than those that it was saved under are an error that says so', (t) => {
  const bench = new Bench([view({ name: 'all', resourceKeys: [] })]);
  bench.counts(bench.define('a', jobs, {}), 1);
  const chunks = bench.save();
  for (const views of [
    [],
    [view({ name: 'all', resourceKeys: ['host'] })],
    [view({ resourceKeys: [] }, 'other')],
  ])
    t.throws(() => bench.fresh(views).load(chunks), {
      instanceOf: SnapshotError,
      message: /view 1 made another output of jobs than it does now: load it with the views/,
    });
  const described = [view({ name: 'all', resourceKeys: [], description: 'x', stalenessMs: 1 })];
  t.notThrows(() => bench.fresh(described).load(chunks));
});

test('whatever bytes a section has, it is loaded or refused, and what is loaded can be collected', (t) => {
  const bench = new Bench(allViews);
  for (const [i, { metric: m }] of catalogue.entries())
    for (const id of ['a', 'b']) {
      const slot = bench.define(id, m, { i: `${i}` });
      if (m.kind === 'sum') bench.counts(slot, i);
    }
  for (const reader of [0, 1, 2]) bench.collect(reader);
  const chunks = bench.save();
  const own = chunks.findLastIndex(() => true);
  const { bytes } = chunks[own];
  let refused = 0;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 }),
      fc.option(fc.nat(bytes.length), { freq: 4, nil: undefined }),
      (changes, length) => {
        const changed = bytes.slice(0, length);
        for (const [at, byte] of changes) if (at < changed.length) changed[at] = byte;
        const side = bench.fresh();
        try {
          side.load(chunks.with(own, { ...chunks[own], bytes: changed })).addReaders();
        } catch (error) {
          if (!(error instanceof SnapshotError)) throw error;
          refused++;
          return;
        }
        for (const cursor of side.cursors) dump(side.outputs.collect(cursor, bench.nowUs));
        bench.nowUs += 1e6;
        side.outputs.sweep();
      },
    ),
    { numRuns: 300 },
  );
  t.true(refused > 100);
});
