import test from 'ava';
import { attributes } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import { emptyResource } from '../../../otel/model/resource.ts';
import { emptyScope } from '../../../otel/model/scope.ts';
import { isReleasable } from '../../../otel/state/ended-series.ts';
import type { Member } from '../../../otel/state/members.ts';
import { MetricStore } from '../../../otel/state/metric-store.ts';
import type { SeriesInput } from '../../../otel/state/series-input.ts';

const birthUs = 1_000_000_000;
const second = 1_000_000;

function setUp(): {
  store: MetricStore;
  member: Member;
  define: (given: Partial<SeriesInput>, nowUs?: number) => number | string;
} {
  const store = new MetricStore(birthUs, () => {});
  const member = store.join('m', emptyResource, birthUs);
  const define = (given: Partial<SeriesInput>, nowUs = birthUs) =>
    store.define(
      member,
      {
        scope: emptyScope,
        metric: metric({ name: 'jobs', kind: 'sum', isMonotonic: true }),
        attributes: attributes({}),
        resource: undefined,
        epoch: 'e1',
        beganAtUs: birthUs + 1,
        startTimeUs: 0,
        clock: store.clocks.of(member, 0),
        holder: 1,
        ...given,
      },
      nowUs,
    );
  return { store, member, define };
}

test('a series ends within a second of the store, and may be freed from the next second on', (t) => {
  const { store, define } = setUp();
  const slot = define({}) as number;
  store.appear(store.sums, slot);
  store.end(store.sums, slot, birthUs + 5.9 * second);
  t.is(store.secondsAt(birthUs + 5.9 * second), 5);
  t.false(isReleasable(store.sums.series, slot, 5));
  t.is(store.releaseEnded(5), 0);
  t.true(store.hasReleasable(6));
  t.is(store.releaseEnded(6), 1);
  t.is(store.seriesCount, 0);
  t.is(store.references.definitions.size, 0);
});

test('what left before it ended is freed by when it left', (t) => {
  const { store, define } = setUp();
  const slot = define({}) as number;
  store.appear(store.sums, slot);
  store.idle(store.sums.series, slot, birthUs + 2 * second);
  store.end(store.sums, slot, birthUs + 900 * second);
  t.is(store.releaseEnded(3), 1);
});

test('a slot that ends twice is freed once, and one that is defined again is not freed', (t) => {
  const { store, define } = setUp();
  const slot = define({}) as number;
  store.end(store.sums, slot, birthUs + second);
  t.is(define({ holder: 2 }), slot);
  store.end(store.sums, slot, birthUs + 2 * second);
  t.is(store.endedCount, 2);
  t.is(store.releaseEnded(10), 1);
  t.is(store.endedCount, 0);

  const other = define({}) as number;
  store.end(store.sums, other, birthUs + 20 * second);
  t.is(define({ holder: 2 }), other);
  t.is(store.releaseEnded(100), 0);
  t.is(store.endedCount, 0);
  t.is(store.seriesCount, 1);
});

test('the horizon is the last report of a member that was evicted, if it had series', (t) => {
  const { store, define, member } = setUp();
  t.is(store.horizonUs, birthUs);
  const empty = store.join('empty', emptyResource, birthUs + 90 * second);
  store.evict(empty, birthUs + 100 * second);
  t.is(store.horizonUs, birthUs);
  define({});
  member.lastReportUs = birthUs + 50 * second;
  store.evict(member, birthUs + 100 * second);
  t.is(store.horizonUs, birthUs + 50 * second);
  t.is(store.members.get('m'), undefined);
  const late = store.join('late', emptyResource, birthUs + 10 * second);
  late.lastReportUs = birthUs + 20 * second;
  store.evict(late, birthUs + 100 * second);
  t.is(store.horizonUs, birthUs + 50 * second, 'the horizon does not go back');
});

test('a member that returns before its old series are freed is another one, and the old one leaves nothing', (t) => {
  const { store, define, member } = setUp();
  define({});
  store.evict(member, birthUs + 5 * second);
  const again = store.join('m', emptyResource, birthUs + 6 * second);
  t.not(again.index, member.index);
  store.releaseEnded(100);
  t.is(store.members.at(member.index), undefined);
  t.is(store.members.at(again.index), again);
  t.is(store.seriesCount, 0);
  store.evict(again, birthUs + 7 * second);
  t.is(store.references.resources.size, 0);
  t.is(store.clocks.size, 0);
});

test('series of a resource: of the member it moves with it, of another one it stays', (t) => {
  const moved: string[] = [];
  const store = new MetricStore(birthUs, (_state, _slot, _definition, { resource }) => {
    moved.push(String(resource.attributes));
  });
  const of = (name: string) => ({ attributes: attributes({ name }), schemaUrl: '' });
  const member = store.join('m', of('before'), birthUs);
  const input: SeriesInput = {
    scope: emptyScope,
    metric: metric({ name: 'jobs', kind: 'sum', isMonotonic: true }),
    attributes: attributes({}),
    resource: undefined,
    epoch: 'e',
    beganAtUs: undefined,
    startTimeUs: 0,
    clock: store.clocks.of(member, 0),
    holder: 1,
  };
  const own = store.define(member, input, birthUs) as number;
  const relayed = store.define(member, { ...input, resource: of('relayed') }, birthUs) as number;
  t.not(own, relayed);
  const ended = store.define(member, { ...input, attributes: attributes({ a: 1 }) }, birthUs) as number;
  store.end(store.sums, ended, birthUs);
  t.is(store.join('m', of('after'), birthUs + second), member);
  t.deepEqual(moved, ['name,before', 'name,relayed', 'name,before', 'name,after']);
  store.join('m', of('after'), birthUs + 2 * second);
  t.is(moved.length, 4);
  t.is(store.define(member, { ...input, resource: of('relayed'), holder: 2 }, birthUs + 3 * second), relayed);
  store.evict(member, birthUs + 4 * second);
  store.releaseEnded(100);
  t.deepEqual(
    [store.seriesCount, store.references.resources.size, store.references.epochs.size, store.clocks.size],
    [0, 0, 0, 0],
  );
});

test('within an epoch the start time stays; a new epoch has its own, or begins after the last sample', (t) => {
  const { store, define, member } = setUp();
  const clock = store.clocks.of(member, 0);
  const { startTimeUs } = store.sums.series;
  const slot = define({ startTimeUs: 7, holder: 1 }) as number;
  define({ startTimeUs: 8, holder: 2 });
  t.is(startTimeUs.get(slot), 7);
  store.timesUs[clock] = 1000;
  define({ epoch: 'e2', startTimeUs: 900, holder: 3 });
  t.is(startTimeUs.get(slot), 900);
  define({ epoch: 'e3', startTimeUs: 900, holder: 4 });
  t.is(startTimeUs.get(slot), 1000);
  store.timesUs[clock] = 2000;
  define({ epoch: 'e4', startTimeUs: 0, holder: 5 });
  t.is(startTimeUs.get(slot), 2000);
  t.is(store.epochsOpened, 3);
  t.is(define({ epoch: 'e3', holder: 6 }), 'epoch_old');
  t.is(define({ epoch: 'e4', holder: 5 }), 'held');
});

test('clocks of a member are few, and those of one that has gone are used again', (t) => {
  const { store, member } = setUp();
  for (let group = 0; group < 4096; group++) store.clocks.of(member, group);
  t.throws(() => store.clocks.of(member, 5000), { message: /member "m" has used 4096 sampling groups/ });
  t.is(store.clocks.of(member, 4095), store.clocks.of(member, 4095));
  store.timesUs[store.clocks.of(member, 3)] = 5;
  store.evict(member, birthUs);
  t.is(store.clocks.size, 0);
  const next = store.join('n', emptyResource, birthUs);
  for (let group = 0; group < 4096; group++) t.is(store.timesUs[store.clocks.of(next, group)], 0);
  t.is(store.timesUs.length, 8192);
});
