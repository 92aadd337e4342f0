import test from 'ava';
import fc from 'fast-check';
import { inputsPerRead } from '../../../collector/outputs/fold-scratch.ts';
import { compileViews } from '../../../collector/views/compile-views.ts';
import { attributes } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import { noMore, PointBatch } from '../../../otel/state/point-batch.ts';
import { Core } from '../core.ts';
import { DirectMember } from './direct-member.ts';
import { define, member, report, view } from './members.ts';

const jobs = metric({ name: 'jobs', kind: 'sum', isMonotonic: true });
const tasks = metric({ name: 'tasks', kind: 'sum', isMonotonic: true });
const all = (selected: string) =>
  view({ name: 'all', resourceKeys: [], attributeKeys: { included: [] } }, selected);

/** A member whose series are all joined into one total. */
class Fleet {
  readonly core = new Core({ views: [all('jobs')] });
  readonly #stream = member(this.core, 'm');
  readonly #numbers: number[] = [];
  readonly #values: number[] = [];

  define(value: number, of = jobs): void {
    this.#numbers.push(define(this.#stream, of, attributes({ i: BigInt(this.#numbers.length) })));
    this.count(this.#numbers.length - 1, value);
  }

  count(i: number, added: number): void {
    this.#values[i] = (this.#values[i] ?? 0) + added;
    report(this.core, this.#stream, { [this.#numbers[i]]: this.#values[i] });
  }

  /** The series is gone, and what it counted is not held by itself any more. */
  end(i: number): void {
    const { store } = this.core;
    const before = store.seriesCount;
    this.#stream.retire(this.#numbers[i], 'gone');
    this.core.wait(2);
    if (store.seriesCount !== before - 1) throw new Error(`series ${i} was not freed`);
  }

  get total(): number {
    return this.core.values('all')[0] as number;
  }
}

/** One after the other from the first, they come to more than in any other order. */
const values = [1, 1, 2 ** 53];
const highest = 2 ** 53 + 2;

for (const isRead of [true, false])
  test(`a total does not fall by rounding when a series is freed, ${isRead ? 'read' : 'not read'} before`, (t) => {
    const fleet = new Fleet();
    for (const value of values) fleet.define(value);
    if (isRead) t.is(fleet.total, highest);
    fleet.end(0);
    t.is(fleet.total, highest);
    fleet.count(2, 2 ** 10);
    t.is(fleet.total, 2 ** 53 + 2 ** 10);
  });

for (const isRead of [true, false])
  test(`a total does not fall by rounding when series come with what they hold, ${isRead ? 'read' : 'not read'} before`, (t) => {
    const fleet = new Fleet();
    fleet.define(2 ** 53 + 2);
    fleet.define(1, tasks);
    if (isRead) t.is(fleet.total, highest);
    t.true(fleet.core.outputs.changeViews(compileViews([all('*')], 300_000)));
    t.true(fleet.total >= highest, `${fleet.total}`);
  });

test('whoever reads in between, or does not, what is shown is the same and does not fall', (t) => {
  const amount = fc.double({ min: 0, max: 1e6, noNaN: true });
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant('define' as const), amount }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('count' as const), amount, i: fc.nat(20) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('end' as const), i: fc.nat(20) }) },
  );
  fc.assert(
    fc.property(
      fc.array(amount, { minLength: 3, maxLength: 8 }),
      fc.array(step, { maxLength: 20 }),
      (first, steps) => {
        const [seen, unseen] = [new Fleet(), new Fleet()];
        let last = 0;
        const live: number[] = [];
        let defined = 0;
        // Nothing is counted at the end, so that what was lost in between would stay lost.
        const ends = first.map((_, i) => ({ do: 'end', i: 3 * i + 1 }) as const);
        for (const one of [...first.map((n) => ({ do: 'define', amount: n }) as const), ...steps, ...ends]) {
          const i = 'i' in one && live.length > 0 ? live[one.i % live.length] : undefined;
          if (one.do !== 'define' && i === undefined) continue;
          for (const fleet of [seen, unseen]) {
            if (one.do === 'define') fleet.define(one.amount);
            else if (one.do === 'count') fleet.count(i!, one.amount);
            else fleet.end(i!);
          }
          if (one.do === 'define') live.push(defined++);
          else if (one.do === 'end') live.splice(live.indexOf(i!), 1);
          t.true(seen.total >= last);
          last = seen.total;
        }
        t.is(unseen.total, last);
      },
    ),
    { numRuns: 100 },
  );
});

/** The intervals of a delta reader of a total of so many series that it takes several turns, in which one of them goes on counting, and perhaps another reader reads. */
function slowIntervals(isReadMeanwhile: boolean): number[] {
  const core = new Core({ views: [all('jobs')] });
  const { sums } = core.store;
  const one = new DirectMember(core, 'm');
  const slots = Array.from({ length: inputsPerRead + 1 }, (_, i) =>
    one.define(jobs, attributes({ i: BigInt(i) })),
  );
  for (const slot of slots) sums.settle(slot, 1);
  const reader = core.outputs.addReader('delta');
  const intervals: number[] = [];
  const batch = new PointBatch();
  const interval = () => {
    let sum = 0;
    core.nowUs += 1e6;
    for (const { scopes } of core.outputs.collect(reader, core.nowUs).resources)
      for (const stream of scopes.flatMap(({ streams }) => streams))
        for (let place = 0, turns = 0; place !== noMore; turns++) {
          if (turns === 1) {
            sums.settle(slots[0], sums.values.get(slots[0]) + 10);
            if (isReadMeanwhile) core.values('all');
          }
          place = stream.read(batch, place);
          for (let i = 0; i < batch.size; i++) sum += batch.values[i];
        }
    core.outputs.delivered(reader);
    intervals.push(sum);
  };
  for (let i = 0; i < 3; i++) interval();
  return intervals;
}

test('a delta interval does not depend on who else reads while it is read', (t) => {
  const alone = slowIntervals(false);
  t.deepEqual(alone, [inputsPerRead + 1, 10, 10]);
  t.deepEqual(slowIntervals(true), alone);
});
