import { isDeepStrictEqual } from 'node:util';
import test from 'ava';
import fc from 'fast-check';
import { noAttributes } from '../../../../otel/model/attributes.ts';
import { emptyScope } from '../../../../otel/model/scope.ts';
import { loadSections, SectionsLoading } from '../../../../otel/snapshot/load-sections.ts';
import type { SnapshotChunk } from '../../../../otel/snapshot/snapshot-chunk.ts';
import { SnapshotError } from '../../../../otel/snapshot/snapshot-error.ts';
import { SnapshotSection } from '../../../../otel/snapshot/snapshot-part.ts';
import { SnapshotWriter } from '../../../../otel/snapshot/snapshot-writer.ts';
import { GaugeState } from '../../../../otel/state/gauge.ts';
import {
  birthUs,
  chunksOf,
  metrics,
  resources,
  type Step,
  StoreWorld,
  second,
  smallestChunksOf,
  stepNames,
  writtenChunks,
} from './store-world.ts';

const anyStep: fc.Arbitrary<Step> = fc.record({
  op: fc.constantFrom(...stepNames),
  member: fc.nat(2),
  series: fc.nat(6),
  n: fc.nat(14),
  value: fc.nat(60),
  afterS: fc.nat(5),
});
const anySteps = fc.array(anyStep, { minLength: 1, maxLength: 120, size: 'max' });

function run(world: StoreWorld, steps: readonly Step[], fromS = 0): number {
  let nowS = fromS;
  for (const step of steps) {
    nowS += step.afterS;
    world.step(step, birthUs + nowS * second);
  }
  return nowS;
}

/** By section, the bytes of a snapshot. */
const hex = ({ snapshot }: StoreWorld): string[] =>
  chunksOf(snapshot).map(({ type, bytes }) => `${type} ${Buffer.from(bytes).toString('hex')}`);

test('what is restored at any moment does and shows what the original does and shows', (t) => {
  let series = 0;
  fc.assert(
    fc.property(anySteps, anySteps, (before, after) => {
      const original = new StoreWorld();
      let nowS = run(original, before);
      series += original.store.seriesCount;
      const restored = original.copied();
      t.deepEqual(restored.seen(), original.seen());
      for (const step of after) {
        nowS += step.afterS;
        const nowUs = birthUs + nowS * second;
        const expected = original.step(step, nowUs);
        const found = restored.step(step, nowUs);
        if (!isDeepStrictEqual(found, expected))
          t.deepEqual({ ...step, found }, { ...step, found: expected });
      }
      t.deepEqual(restored.seen(), original.seen());
      // And so are the bytes of all that they hold.
      t.deepEqual(hex(restored), hex(original));
    }),
    { numRuns: 100 },
  );
  t.true(series > 500, `${series} series were held`);
});

test('what the definitions of members take is the same after they were loaded', (t) => {
  let bytes = 0;
  fc.assert(
    fc.property(anySteps, (steps) => {
      const original = new StoreWorld();
      run(original, steps);
      const bytesOf = ({ store }: StoreWorld) =>
        [...store.members].map(({ id, definitionBytes }) => [id, definitionBytes] as const);
      t.deepEqual(bytesOf(original.copied()), bytesOf(original));
      for (const [, held] of bytesOf(original)) bytes += held;
    }),
    { numRuns: 30 },
  );
  t.true(bytes > 1000, `${bytes} bytes were held`);
});

test('what changes after a copy was taken is not in it, and the copy can be taken again', (t) => {
  fc.assert(
    fc.property(anySteps, anySteps, (before, after) => {
      const world = new StoreWorld();
      const nowS = run(world, before);
      const expected = chunksOf(world.snapshot);
      world.snapshot.take();
      run(world, after, nowS);
      t.deepEqual(writtenChunks(world.snapshot), expected);
      const later = chunksOf(world.snapshot);
      t.deepEqual(world.restored(later).seen(), world.seen());
    }),
    { numRuns: 25 },
  );
});

test('wherever chunks are cut, the same is loaded', (t) => {
  let most = 0;
  fc.assert(
    fc.property(anySteps, (steps) => {
      const world = new StoreWorld();
      run(world, steps);
      const chunks = smallestChunksOf(world.snapshot);
      most = Math.max(most, chunks.length);
      const restored = world.restored(chunks);
      t.deepEqual(restored.seen(), world.seen());
      t.deepEqual(hex(restored), hex(world));
    }),
    { numRuns: 25 },
  );
  t.true(most > 200, `${most} chunks`);
});

test('room that is made before changes nothing', (t) => {
  const world = new StoreWorld();
  for (let i = 0; i < 3; i++) {
    run(world, [{ op: 'define', member: i, series: i, n: i, value: 0, afterS: 1 }]);
    const expected = hex(world);
    for (const _ of world.snapshot.reserve());
    t.deepEqual(hex(world), expected);
  }
});

test('any bytes give a SnapshotError or a state that works', (t) => {
  let errors = 0;
  let works = 0;
  fc.assert(
    fc.property(
      anySteps,
      anySteps,
      fc.array(fc.record({ chunk: fc.nat(), at: fc.nat(), value: fc.nat(255) }), {
        minLength: 1,
        maxLength: 3,
      }),
      (before, after, changes) => {
        const world = new StoreWorld();
        const nowS = run(world, before);
        const chunks = chunksOf(world.snapshot);
        for (const { chunk, at, value } of changes) {
          const { bytes } = chunks[chunk % chunks.length]!;
          bytes[at % bytes.length] = value;
        }
        let restored: StoreWorld;
        try {
          restored = world.restored(chunks);
        } catch (error) {
          if (!(error instanceof SnapshotError)) throw error;
          errors++;
          return;
        }
        works++;
        run(restored, after, nowS);
        restored.seen();
        chunksOf(restored.snapshot);
      },
    ),
    { numRuns: 100 },
  );
  t.true(errors > 20, `${errors} errors`);
  t.true(works > 20, `${works} that work`);
});

test('sections that are missing or in another order are an error that says so', async (t) => {
  const world = new StoreWorld();
  run(world, [{ op: 'define', member: 0, series: 0, n: 0, value: 0, afterS: 1 }]);
  const chunks = chunksOf(world.snapshot);
  const load = async (from: readonly SnapshotChunk[]): Promise<void> => {
    const { snapshot } = new StoreWorld(0);
    await loadSections(from, snapshot.loaders);
    snapshot.finish();
  };
  await t.notThrowsAsync(load(chunks));
  await t.throwsAsync(load(chunks.slice(0, -1)), {
    instanceOf: SnapshotError,
    message: /section 15\/0: is missing/,
  });
  await t.throwsAsync(load([chunks[1]!, chunks[0]!, ...chunks.slice(2)]), {
    instanceOf: SnapshotError,
    message: /section 2\/0, .*section 1\/0 is missing before it/,
  });
  await t.throwsAsync(load([]), { instanceOf: SnapshotError, message: /section 1\/0: is missing/ });
});

test('readers that are others after a restart go on from the windows of those that they were', (t) => {
  const world = new StoreWorld();
  const step: Step = { op: 'define', member: 0, series: 2, n: 0, value: 0, afterS: 1 };
  run(world, [
    step,
    { ...step, op: 'watch' },
    { ...step, op: 'report', value: 7 },
    { ...step, op: 'report', value: 11 },
  ]);
  const slot = 1;
  const reduce = (of: StoreWorld, reader: number) => of.store.gauges.windows.reduce(slot, 'min', reader, 50);
  for (const reader of [0, 1]) world.store.gauges.windows.collected(reader);
  const restored = world.copied();
  restored.store.gauges.windows.arrangeReaders([undefined, 1, 0]);
  t.deepEqual(
    [0, 1, 2].map((reader) => reduce(restored, reader)),
    [50, 7, 7],
  );
  t.deepEqual(
    [0, 1].map((reader) => reduce(world, reader)),
    [7, 7],
  );
});

test('a snapshot of a later version is not read', (t) => {
  const chunks = chunksOf(new StoreWorld().snapshot);
  chunks[0]!.bytes[1] = 2;
  const loading = new SectionsLoading(new StoreWorld(0).snapshot.loaders);
  t.throws(() => loading.take(chunks[0]!), {
    instanceOf: SnapshotError,
    message: /version 2 of its format; this program reads version 1/,
  });
});

test('a delta that was counted before the copy is known after it, and one of the same time is told from it', (t) => {
  const world = new StoreWorld();
  const nowUs = birthUs + 10 * second;
  const member = world.store.join('m', resources[0]!, nowUs);
  const input = { scope: emptyScope, metric: metrics[0]!, attributes: noAttributes, resource: undefined };
  const handle = world.intake.define(member, input, nowUs) as number;
  const report = (of: StoreWorld, value: number) =>
    of.intake.sum(handle, 'delta', nowUs - 2 * second, nowUs - second, value, nowUs);
  t.is(report(world, 5), 'merged');
  const restored = world.copied();
  t.is(report(restored, 5), 'duplicate');
  t.is(report(restored, 6), 'overlap');
  t.is(restored.store.sums.counted(1), 5);
});

test('an interval that was closed before the copy is the same for who asks after it', (t) => {
  const slot = 1;
  const hows = ['min', 'max', 'mean'] as const;
  const reduced = ({ windows }: GaugeState) => hows.map((how) => windows.reduce(slot, how, 0, 12));
  const state = new GaugeState();
  state.windows.addReader();
  const from = new GaugeState();
  from.windows.addReader();
  t.is(from.allocate(), slot);
  from.windows.watch(slot);
  for (const [i, value] of [7, 7, 11].entries()) from.windows.report(slot, value, birthUs + (i + 1) * second);
  from.windows.collected(0);
  // It belongs to the next interval.
  from.windows.report(slot, 12, birthUs + 4 * second);
  t.deepEqual(reduced(from), [7, 11, 9]);
  const section = new SnapshotSection(1, 0, 1, from.snapshotParts());
  section.take();
  const loading = new SectionsLoading(
    new Map([[1, new SnapshotSection(1, 0, 1, state.snapshotParts()).load]]),
  );
  for (const chunk of section.write(new SnapshotWriter())) loading.take(chunk);
  loading.end();
  t.deepEqual(reduced(state), [7, 11, 9]);
});
