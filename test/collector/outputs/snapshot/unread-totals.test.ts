import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { compileViews } from '../../../../collector/views/compile-views.ts';
import { attributes } from '../../../../otel/model/attributes.ts';
import { metric } from '../../../../otel/model/metric.ts';
import { emptyScope } from '../../../../otel/model/scope.ts';
import type { SnapshotChunk } from '../../../../otel/snapshot/snapshot-chunk.ts';
import { readCollection } from '../../../model/read-collection.ts';
import { birthUs } from '../../core.ts';
import { view } from '../members.ts';
import { chunksOf, Side } from './side.ts';

/*
 * What a reader was shown changes nothing that is kept: after a restart the state is made again by what members said and by what was decided. The total must then not be
 * below any that was shown before, under the same start time, although nobody had read it in this life.
 */

const metrics = ['jobs', 'tasks'].map((name) => metric({ name, kind: 'sum', isMonotonic: true }));
const all = (selected: string) =>
  view({ name: 'all', resourceKeys: [], attributeKeys: { included: [] } }, selected);
const viewSets = [[all('jobs')], [all('*')]];

/** Nearly every addition of these rounds, and in another order otherwise. */
const amount = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.integer({ min: 1, max: 1e9 }).map((n) => n / 3e7),
  },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, 1, 1e6 / 3, 2 ** 53) },
);
const series = fc.nat(5);

type Step =
  | { do: 'define'; series: number; isSeen: boolean; amount: number }
  | { do: 'count'; series: number; amount: number }
  | { do: 'end' | 'move'; series: number }
  | { do: 'wait'; seconds: number }
  | { do: 'views'; set: number }
  | { do: 'forget' | 'restart' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('define' as const), series, isSeen: fc.boolean(), amount }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('count' as const), series, amount }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('end' as const, 'end' as const, 'move' as const), series }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.constantFrom(2, 2, 5000) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('views' as const), set: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.constantFrom<Step>({ do: 'forget' }, { do: 'restart' }) },
);

/** Six members with one counter each, all of which are joined into one total: one side that is read all the time, and one that never is. */
class World {
  nowUs = birthUs;
  /** By start time: the highest total that was shown. */
  readonly highest = new Map<number, number>();
  /** How many totals above zero were held against it. */
  compared = 0;
  readonly #seen: Side;
  #unseen: Side;
  #views = 0;
  #holders = 0;
  readonly #members = Array.from({ length: 6 }, () => ({ epoch: 0, value: 0, slot: 0, resource: 0 }));

  constructor() {
    this.#seen = this.#side();
    this.#unseen = this.#side();
  }

  take(one: Step): void {
    this.nowUs += 1e6;
    const member = 'series' in one ? this.#members[one.series] : undefined;
    switch (one.do) {
      case 'define':
        member!.epoch++;
        member!.value = one.amount;
        this.#define(one.series, one.isSeen);
        this.#settle(one.series);
        break;
      case 'count':
        member!.value += one.amount;
        this.#settle(one.series);
        break;
      case 'end':
        this.#end(one.series);
        break;
      case 'forget':
        // The point is forgotten when all its series have been freed for long, and the next one begins later.
        for (let i = 0; i < this.#members.length; i++) this.#end(i);
        for (const seconds of [2, 5000]) this.take({ do: 'wait', seconds });
        break;
      case 'move':
        member!.resource++;
        this.#both((side) => void this.#join(side, one.series));
        if (member!.slot !== 0) this.#define(one.series, false);
        break;
      case 'wait':
        this.nowUs += one.seconds * 1e6;
        this.#both(({ outputs }) => outputs.sweep());
        break;
      case 'views':
        this.#views = one.set;
        this.#both(({ outputs }) => outputs.changeViews(compileViews(viewSets[one.set], 300_000)));
        break;
      case 'restart':
        this.#unseen = this.#copy();
        break;
    }
  }

  /** Reads the one side, and the other one in another life. @throws Error where the latter shows less than anybody was shown before, or reading changed something */
  check(): void {
    assert.deepEqual(saved(this.#unseen), saved(this.#seen));
    for (const [startUs, total] of totals(this.#seen, this.nowUs)) {
      const highest = this.highest.get(startUs) ?? 0;
      if (total < highest) throw new Error(`${total} is shown after ${highest}`);
      this.highest.set(startUs, total);
    }
    for (const [startUs, total] of totals(this.#copy(), this.nowUs)) {
      const highest = this.highest.get(startUs);
      if (highest === undefined) throw new Error(`nobody has seen a total since ${startUs}`);
      if (total < highest) throw new Error(`${total} after a restart, ${highest} before`);
      if (highest > 0) this.compared++;
    }
  }

  #side(): Side {
    return new Side(() => this.nowUs, viewSets[this.#views]);
  }

  #copy(): Side {
    return this.#side().load(saved(this.#unseen));
  }

  #both(deed: (side: Side) => unknown): unknown {
    const found = deed(this.#seen);
    if (deed(this.#unseen) !== found) throw new Error('the sides are not equal');
    return found;
  }

  #join({ outputs: { store } }: Side, i: number) {
    const host = `${i}.${this.#members[i].resource}`;
    return store.join(`m${i}`, { attributes: attributes({ host }), schemaUrl: '' }, this.nowUs);
  }

  /** The member's series, under its present epoch. */
  #define(i: number, isSeen: boolean): void {
    const member = this.#members[i];
    const holder = ++this.#holders;
    member.slot = this.#both((side) => {
      const { store } = side.outputs;
      const owner = this.#join(side, i);
      return store.define(
        owner,
        {
          scope: emptyScope,
          metric: metrics[i % 2],
          attributes: attributes({}),
          resource: undefined,
          epoch: `${i} ${member.epoch}`,
          beganAtUs: isSeen ? this.nowUs + 1 : undefined,
          startTimeUs: 0,
          clock: store.clocks.of(owner, 0),
          holder,
        },
        this.nowUs,
      );
    }) as number;
  }

  #end(i: number): void {
    const { slot } = this.#members[i];
    if (slot === 0) return;
    this.#members[i].slot = 0;
    this.#both(({ outputs: { store } }) => store.end(store.sums, slot, this.nowUs));
  }

  #settle(i: number): void {
    const { slot, value } = this.#members[i];
    if (slot === 0) return;
    this.#both(({ outputs: { store } }) => {
      const baseline = store.sums.settle(slot, value);
      store.appear(store.sums, slot);
      return baseline;
    });
  }
}

/** All that a checkpoint would hold. */
function saved(side: Side): SnapshotChunk[] {
  side.snapshot.take();
  return chunksOf(side);
}

/** By start time. */
function totals({ outputs }: Side, nowUs: number): Map<number, number> {
  const found = new Map<number, number>();
  for (const [key, points] of readCollection(outputs.collect(outputs.passerBy(), nowUs)))
    for (const { startUs, value } of key.startsWith('all ') ? points : [])
      found.set(startUs, value as number);
  return found;
}

test('a total that nobody has read since the restart is not below any that was shown before', (t) => {
  let starts = 0;
  let totals = 0;
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 40, size: 'max' }), (steps) => {
        const world = new World();
        const first = [0, 1, 2, 3, 4, 5].map(
          (i) => ({ do: 'define', series: i, isSeen: true, amount: (i + 1) / 7 }) as const,
        );
        for (const one of [...first, ...steps]) {
          world.take(one);
          world.check();
        }
        starts += world.highest.size;
        totals += world.compared;
      }),
      { numRuns: 40 },
    ),
  );
  t.true(totals > 500, `${totals} totals were compared`);
  t.true(starts > 40, `${starts} start times`);
});
