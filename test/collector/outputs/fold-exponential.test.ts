import test from 'ava';
import fc from 'fast-check';
import type { ReaderCursor } from '../../../collector/outputs/reader-cursor.ts';
import type { ViewConfig } from '../../../otel/config/metric-views.ts';
import { attributes } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import { bucketIndex } from '../../../otel/state/exponential-mapping.ts';
import { histograms } from '../../otel/state/exponential-arbitraries.ts';
import {
  hasBuckets,
  isNothing,
  type ModelHistogram,
  modelCount,
  modelHistogram,
  modelSum,
  modelTogether,
  plain,
} from '../../otel/state/exponential-model.ts';
import { Core } from '../core.ts';
import type { ExponentialPoint } from './direct-member.ts';
import { DirectMember, exponentialPoints } from './direct-member.ts';

const latency = metric({
  name: 'latency',
  kind: 'exponential_histogram',
  hasSum: true,
  hasMin: true,
  hasMax: true,
});

function merging(maxSize: number, maxScale = 20): ViewConfig {
  return {
    selector: {},
    stream: {
      resourceKeys: [],
      attributeKeys: { included: ['keep'] },
      aggregation: { kind: 'base2_exponential_bucket_histogram', maxSize, maxScale, recordMinMax: true },
    },
  };
}

function read(core: Core, cursor: ReaderCursor): ExponentialPoint[] {
  const found: ExponentialPoint[] = [];
  for (const { scopes } of core.outputs.collect(cursor, core.nowUs).resources)
    for (const { streams } of scopes) for (const stream of streams) found.push(...exponentialPoints(stream));
  core.outputs.delivered(cursor);
  return found;
}

/** Whether what one counts is in the other, which is no finer. */
function isWithin(a: ModelHistogram, b: ModelHistogram): boolean {
  if (isNothing(a)) return true;
  const [one, other] = modelTogether(a, b);
  const sides = [
    [one.positive, other.positive],
    [one.negative, other.negative],
  ] as const;
  return (
    one.zeroCount <= other.zeroCount &&
    sides.every(([of, within]) => [...of].every(([index, count]) => count <= (within.get(index) ?? 0)))
  );
}

const steps = fc.array(
  fc.record({
    what: fc.constantFrom(
      'report',
      'report',
      'report',
      'epoch',
      'gone',
      'join',
      'cumulative',
      'delta',
      'sweep',
    ),
    who: fc.nat(2),
    more: histograms(),
    isSeen: fc.boolean(),
  }),
  { maxLength: 25 },
);

test('a fold is what its members have counted, whoever comes and goes, and never falls', (t) => {
  fc.assert(
    fc.property(steps, fc.constantFrom(5, 9, 160), (list, maxSize) => {
      const core = new Core({ views: [merging(maxSize)] });
      const cursors = [core.outputs.addReader('cumulative'), core.outputs.addReader('delta')];
      const members = [0, 1, 2].map((who) => new DirectMember(core, `m${who}`));
      const slots: (number | undefined)[] = [];
      const said: ModelHistogram[] = [];
      let counted = modelHistogram();
      let shown = modelHistogram();
      let given = modelHistogram();
      for (const { what, who, more, isSeen } of [...list, ...finally_]) {
        core.nowUs += 2_000_000;
        const slot = slots[who];
        if (what === 'join' || what === 'epoch') {
          slots[who] = members[who].define(latency, attributes({ keep: 'all', of: BigInt(who) }), isSeen);
          t.not(members[who].exponential(slots[who]!, more), undefined);
          said[who] = more;
          if (isSeen) counted = modelSum(counted, more);
        } else if (what === 'report' && slot !== undefined) {
          said[who] = modelSum(said[who], more);
          t.is(members[who].exponential(slot, said[who]), 0);
          counted = modelSum(counted, more);
        } else if (what === 'gone' && slot !== undefined) {
          members[who].end(core.store.exponentialHistograms, slot);
          slots[who] = undefined;
        } else if (what === 'sweep') core.outputs.sweep();
        else if (what === 'cumulative' || what === 'delta') {
          const points = read(core, cursors[what === 'delta' ? 1 : 0]);
          if (points.length === 0) continue;
          const [point] = points;
          t.is(points.length, 1);
          t.deepEqual([point.min, point.max, point.flags], [NaN, NaN, 0]);
          for (const { size } of [point.positive, point.negative]) t.true(size <= maxSize);
          if (what === 'delta') {
            given = modelSum(given, point);
            t.true(isWithin(point, given));
            t.is(given.sum, counted.sum);
            t.deepEqual(...comparable(given, counted));
          } else {
            t.is(point.startUs, core.store.birthUs);
            t.is(point.sum, counted.sum);
            t.deepEqual(...comparable(point, counted));
            if (hasBuckets(shown) && hasBuckets(point)) t.true(point.scale <= shown.scale);
            if (!isNothing(shown)) t.true(point.zeroThreshold >= shown.zeroThreshold);
            t.true(isWithin(shown, point));
            shown = point;
          }
        }
      }
      t.is(modelCount(shown), modelCount(counted));
      t.is(modelCount(given), modelCount(counted));
    }),
    { numRuns: 300 },
  );
});

const finally_ = (['cumulative', 'delta', 'sweep', 'cumulative', 'delta'] as const).map((what) => ({
  what,
  who: 0,
  more: modelHistogram(),
  isSeen: true,
}));

/** The two at one scale and threshold, as what they count. */
function comparable(a: ModelHistogram, b: ModelHistogram): [object, object] {
  const [one, other] = modelTogether(a, b);
  const only = (h: ModelHistogram) => ({ ...plain({ ...h, sum: 0 }), zeroThreshold: undefined });
  return [only(one), only(other)];
}

test('explicit histograms of any bounds fold into one exponential one where the view asks for it', (t) => {
  const core = new Core({ views: [merging(160)] });
  const cursor = core.outputs.addReader('delta');
  const define = (who: string, explicitBounds: number[]) => {
    const member = new DirectMember(core, who);
    const slot = member.define(metric({ name: 'size', kind: 'histogram', explicitBounds, hasSum: true }));
    return (counts: number[], sum: number) => member.explicit(slot, counts, sum);
  };
  const a = define('a', [1, 4, 16]);
  const b = define('b', [4, 16]);
  a([1, 2, 3, 4], 100);
  b([0, 5, 6], 200);
  // (1, 4] is at 2, (4, 16] at 8, and what is above 16 in the bucket that begins there; b, which counts nothing up to 4, takes that for zero.
  const first = { zeroCount: 3, sum: 300, at8: 8, at17: 10 };
  for (const reader of [core.outputs.passerBy(), cursor]) {
    const [point, ...others] = read(core, reader);
    t.is(others.length, 0);
    const { zeroCount, sum, scale, positive } = point;
    const at = (value: number) => positive.get(bucketIndex(value, scale)) ?? 0;
    t.deepEqual({ zeroCount, sum, at8: at(8), at17: at(16 * (1 + 2 ** -52)) }, first);
    t.is(point.zeroThreshold, 4);
  }
  a([1, 2, 4, 4], 110);
  b([2, 5, 6], 204);
  core.nowUs += 1_000_000;
  const [delta] = read(core, cursor);
  t.deepEqual([delta.zeroCount, delta.sum, [...delta.positive.values()]], [2, 14, [1]]);
  t.is(modelCount(read(core, core.outputs.passerBy())[0]), 24);
});

for (const [what, wide] of [
  [
    'scale',
    modelHistogram({
      scale: 5,
      positive: new Map([
        [-200, 1],
        [200, 1],
      ]),
    }),
  ],
  ['zero threshold', modelHistogram({ scale: 5, zeroThreshold: 0.5, positive: new Map([[20, 1]]) })],
] as const)
  test(`a point that is read slowly is not finer than what another reader was shown meanwhile: ${what}`, (t) => {
    const core = new Core({ views: [merging(160)] });
    const members = Array.from({ length: 300 }, (_, i) => new DirectMember(core, `m${i}`));
    const slots = members.map((one) => one.define(latency));
    const narrow = modelHistogram({ scale: 5, positive: new Map([[3, 1]]) });
    for (const [i, slot] of slots.entries()) members[i].exponential(slot, narrow);
    const delta = core.outputs.addReader('delta');
    let turns = 0;
    let meanwhile: ExponentialPoint[] = [];
    let slow: ExponentialPoint[] = [];
    for (const { scopes } of core.outputs.collect(core.outputs.passerBy(), core.nowUs).resources)
      for (const stream of scopes.flatMap(({ streams }) => streams))
        slow = exponentialPoints({
          ...stream,
          read(batch, from) {
            // Two turns put series in order, one adds the first 256 of them.
            if (++turns === 4) {
              members[0].exponential(slots[0], modelSum(narrow, wide));
              meanwhile = read(core, delta);
            }
            return stream.read(batch, from);
          },
        });
    t.is(turns, 4);
    t.is(modelCount(slow[0]), 300, 'it has not seen what came to the first one');
    const seen = meanwhile[0];
    t.true(seen.scale < 5 || seen.zeroThreshold > 0);
    for (const point of [slow[0], ...read(core, core.outputs.passerBy())]) {
      t.true(point.scale <= seen.scale, `${point.scale} after ${seen.scale}`);
      t.true(point.zeroThreshold >= seen.zeroThreshold, `${point.zeroThreshold} after ${seen.zeroThreshold}`);
    }
    t.deepEqual(read(core, delta).map(modelCount), [0]);
  });

test('what cannot be exponential makes no output', (t) => {
  const core = new Core({ views: [merging(160)] });
  new DirectMember(core, 'a').define(metric({ name: 'size', kind: 'histogram', explicitBounds: [-1, 0] }));
  t.deepEqual(read(core, core.outputs.passerBy()), []);
});

test('by default, exponential histograms that are joined have up to 160 buckets on a side', (t) => {
  const core = new Core({ views: [{ selector: {}, stream: { resourceKeys: [], aggregation: 'default' } }] });
  for (const who of [0, 1, 2]) {
    const member = new DirectMember(core, `m${who}`);
    const positive = new Map(Array.from({ length: 100 }, (_, i) => [who * 100 + i, 1] as const));
    member.exponential(member.define(latency), modelHistogram({ scale: 5, positive }));
  }
  const [point] = read(core, core.outputs.passerBy());
  t.is(point.scale, 4);
  t.deepEqual([...point.positive.values()], new Array(150).fill(2));
});

/** A core with a member whose bucket is far below 1 and far above it, and another one whose zero threshold is 1: four buckets are allowed. */
function withThresholds(order: readonly ('wide' | 'raised')[]): { core: Core; end: () => void } {
  const core = new Core({ views: [merging(4)] });
  const member = new DirectMember(core, 'm');
  const slots = order.map((name) => {
    const slot = member.define(latency, attributes({ keep: 'all', name }));
    const wide = modelHistogram({
      scale: 1,
      positive: new Map([
        [-9, 1],
        [3, 2],
      ]),
    });
    const raised = modelHistogram({ scale: 1, zeroThreshold: 1, zeroCount: 5 });
    member.exponential(slot, name === 'wide' ? wide : raised);
    return slot;
  });
  const end = () => {
    for (const slot of slots) member.end(core.store.exponentialHistograms, slot);
  };
  return { core, end };
}

for (const order of [
  ['wide', 'raised'],
  ['raised', 'wide'],
] as const)
  test(`buckets below the threshold take no coarser scale: ${order.join(', then ')}, and when they are freed`, (t) => {
    const { core, end } = withThresholds(order);
    const reader = core.outputs.addReader('cumulative');
    const expected = { scale: 1, zeroThreshold: 1, zeroCount: 6, positive: [[3, 2]], negative: [], sum: 0 };
    t.deepEqual(read(core, reader).map(plain), [expected]);
    end();
    core.nowUs += 2_000_000;
    read(core, reader);
    core.wait(2);
    t.is(core.store.seriesCount, 0);
    t.deepEqual(read(core, reader).map(plain), [expected]);
  });
