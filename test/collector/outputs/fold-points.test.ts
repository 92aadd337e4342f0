import test from 'ava';
import fc from 'fast-check';
import { FoldPoints } from '../../../collector/outputs/fold-points.ts';
import { attributes, attributesKey } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import { emptyScope } from '../../../otel/model/scope.ts';
import { Definitions } from '../../../otel/state/definitions.ts';

const requests = metric({ name: 'requests', kind: 'sum', isMonotonic: true });
const definitions = new Definitions();
const overflowKey = attributesKey(attributes({ 'otel.metric.overflow': true }));

function definition(route: number) {
  return definitions.acquire(emptyScope, requests, attributes({ route: `r${route}` }));
}

function keyAt(points: FoldPoints, point: number): string {
  return attributesKey(points.attributes[point].attributes);
}

/** Points with so many routes each of the members in turn; slots count up from 1. */
function filled(limit: number, isShared: boolean, routes: readonly (readonly [owner: string, n: number])[]) {
  const owners: string[] = [''];
  const points = new FoldPoints({ ownerOf: (slot) => owners[slot], limit, isShared, startUs: 7 });
  let route = 0;
  for (const [owner, n] of routes)
    for (let i = 0; i < n; i++) {
      owners.push(owner);
      points.attach(owners.length - 1, definition(route++));
    }
  return points;
}

test('a limit counts the overflow series; what is beyond it goes there and stays', (t) => {
  const points = filled(10, false, [['a', 15]]);
  t.is(points.size, 10);
  t.is(points.overflowed, 6);
  t.is(keyAt(points, 9), overflowKey);
  t.deepEqual([...points.targets.items.subarray(9, 15)], [9, 9, 9, 9, 9, 9]);
  // A key that is known is no new point.
  points.attach(3, definition(2));
  t.is(points.targets.items[15], 2);
});

test('a limit of 1 leaves the overflow series alone', (t) => {
  const points = filled(1, true, [['a', 3]]);
  t.deepEqual([points.size, points.overflowed, keyAt(points, 0)], [1, 3, overflowKey]);
});

test('of shared points the last tenth is for members with less than their share', (t) => {
  // 100 places beside the overflow series: 90 for whoever comes, 10 for those with fewer than 100 / members.
  const points = filled(101, true, [
    ['greedy', 200],
    ['modest', 5],
    ['late', 10],
  ]);
  t.is(points.size, 101);
  const owned = (from: number, to: number) =>
    [...points.targets.items.subarray(from, to)].filter((point) => keyAt(points, point) !== overflowKey)
      .length;
  t.deepEqual([owned(0, 200), owned(200, 205), owned(205, 215)], [90, 5, 5]);
  const alone = filled(101, false, [['greedy', 200]]);
  t.is(alone.overflowed, 100);
});

test('points come and go: each series is in one point, its own or the overflow series', (t) => {
  const action = fc.oneof(
    fc.record({ do: fc.constant('attach' as const), owner: fc.nat(3), route: fc.nat(30) }),
    fc.record({ do: fc.constant('leave' as const), nth: fc.nat(100) }),
    fc.record({ do: fc.constant('wait' as const), seconds: fc.constantFrom(1, 50, 101) }),
  );
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.array(action, { maxLength: 120, size: 'max' }),
        fc.integer({ min: 1, max: 25 }),
        fc.boolean(),
        (actions, limit, isShared) => {
          const owners: string[] = [];
          const startUs = 5;
          const points = new FoldPoints({ ownerOf: (slot) => owners[slot], limit, isShared, startUs });
          /** What a point stands for, moved as the points say. */
          let labels: string[] = [];
          const routeOf = new Map<number, string>();
          const inOverflow = new Set<number>();
          const idleSince = new Map<string, number>();
          let nowS = 0;
          const live = () => [...points.slots.items.subarray(0, points.slots.size)];
          for (const one of actions) {
            if (one.do === 'attach') {
              const slot = owners.length;
              owners.push(`m${one.owner}`);
              const key = attributesKey(definition(one.route).attributes.attributes);
              const wasKnown = labels.includes(key);
              points.attach(slot, definition(one.route));
              while (labels.length < points.size) labels.push(keyAt(points, labels.length));
              routeOf.set(slot, key);
              const target = points.targets.items[points.targets.size - 1];
              if (keyAt(points, target) === overflowKey) inOverflow.add(slot);
              idleSince.delete(keyAt(points, target));
              if (
                inOverflow.has(slot) &&
                labels.filter((label) => label !== overflowKey).length < limit - 1 - Math.floor(limit / 10)
              )
                throw new Error('into the overflow series before the limit');
              if (wasKnown && inOverflow.has(slot))
                throw new Error('a known key went into the overflow series');
            } else if (one.do === 'leave') {
              const slots = live();
              if (slots.length === 0) continue;
              const leaving = slots[one.nth % slots.length];
              points.sweep((slot) => slot === leaving, nowS);
              const key = inOverflow.has(leaving) ? overflowKey : routeOf.get(leaving)!;
              const rest = live().some((s) => (inOverflow.has(s) ? overflowKey : routeOf.get(s)) === key);
              if (!rest) idleSince.set(key, nowS);
            } else {
              nowS += one.seconds;
              const gone = [...idleSince].filter(([, since]) => since < nowS - 100).map(([key]) => key);
              const hasMoved = points.expire(nowS - 100, nowS * 1e6, (from, to) => {
                labels[to] = labels[from];
              });
              if (hasMoved !== gone.length > 0) throw new Error('expired at another time');
              labels = labels.slice(0, points.size);
              for (const key of gone) {
                idleSince.delete(key);
                if (labels.includes(key)) throw new Error('an idle point stayed');
              }
            }
            if (points.size > limit) throw new Error('over the limit');
            if (new Set(labels).size !== labels.length) throw new Error('a point twice');
            labels.forEach((label, i) => {
              if (label !== keyAt(points, i)) throw new Error('a point moved without its place');
            });
            live().forEach((slot, i) => {
              const key = keyAt(points, points.targets.items[i]);
              if (key !== (inOverflow.has(slot) ? overflowKey : routeOf.get(slot)))
                throw new Error('a series moved to another point');
            });
          }
        },
      ),
      { numRuns: 300 },
    ),
  );
});

test('a point that returns begins to count when the old one was forgotten', (t) => {
  const points = filled(10, true, [['a', 3]]);
  t.deepEqual(points.startUs, [7, 7, 7]);
  points.sweep((slot) => slot === 2, 5);
  t.false(points.expire(5, 6_000_000, () => t.fail()));
  const moves: number[][] = [];
  t.true(points.expire(6, 9_000_000, (from, to) => void moves.push([from, to])));
  t.deepEqual(moves, [[2, 1]]);
  points.attach(1, definition(1));
  t.deepEqual(points.startUs, [7, 7, 9_000_000]);
});
