import test from 'ava';
import fc from 'fast-check';
import type { ViewAggregation } from '../../../otel/config/metric-views.ts';
import { attributes } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import { batchesOf, PointBatch } from '../../../otel/state/point-batch.ts';
import { Core } from '../core.ts';
import { DirectMember } from './direct-member.ts';

interface Stream {
  bounds: readonly number[];
  points: number[][];
}

function core(aggregation: ViewAggregation = 'default'): Core {
  return new Core({
    views: [{ selector: {}, stream: { resourceKeys: [], attributeKeys: { included: [] }, aggregation } }],
  });
}

function read(of: Core, cursor = of.outputs.passerBy()): Stream[] {
  const found: Stream[] = [];
  const batch = new PointBatch();
  for (const { scopes } of of.outputs.collect(cursor, of.nowUs).resources)
    for (const { streams } of scopes)
      for (const stream of streams) {
        const points: number[][] = [];
        for (const { size, bucketCount, bucketCounts, sums } of batchesOf(stream, batch))
          for (let i = 0; i < size; i++)
            points.push([...bucketCounts.subarray(i * bucketCount, (i + 1) * bucketCount), sums[i]]);
        found.push({ bounds: stream.metric.explicitBounds, points });
      }
  of.outputs.delivered(cursor);
  return found;
}

const latency = (explicitBounds: readonly number[]) =>
  metric({ name: 'latency', kind: 'histogram', explicitBounds, hasSum: true });

const explicit = (boundaries?: readonly number[]): ViewAggregation => ({
  kind: 'explicit_bucket_histogram',
  boundaries,
});

/** What is measured, in buckets. */
function bucketed(measured: readonly number[], bounds: readonly number[]): number[] {
  const counts = Array.from({ length: bounds.length + 1 }, () => 0);
  for (const value of measured) counts[bounds.filter((bound) => bound < value).length]++;
  return counts;
}

test("finer histograms fold exactly: as if all had been measured with the output's bounds", (t) => {
  const all = [1, 2, 3, 5, 8, 13, 21];
  const some = fc.subarray(all).map((list) => list.sort((a, b) => a - b));
  const member = fc.record({
    more: some,
    measured: fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 20 }),
  });
  fc.assert(
    fc.property(some, fc.array(member, { minLength: 1, maxLength: 5 }), (own, list) => {
      const fleet = core(explicit(own));
      const cursor = fleet.outputs.addReader('delta');
      const ends: (() => void)[] = [];
      for (const [who, { more, measured }] of list.entries()) {
        const bounds = all.filter((bound) => own.includes(bound) || more.includes(bound));
        const from = new DirectMember(fleet, `m${who}`);
        const slot = from.define(latency(bounds));
        from.explicit(slot, bucketed(measured, bounds), measured.length);
        ends.push(() => from.end(fleet.store.histograms, slot));
      }
      const measured = list.flatMap((one) => one.measured);
      const expected = [{ bounds: own, points: [[...bucketed(measured, own), measured.length]] }];
      t.deepEqual(read(fleet), expected);
      t.deepEqual(read(fleet, cursor), expected);
      for (const [i, end] of ends.entries()) {
        end();
        fleet.nowUs += 5_000_000;
        if (i % 2 === 0) read(fleet, cursor);
        fleet.outputs.sweep();
        t.deepEqual(read(fleet), expected);
      }
      fleet.nowUs += 5_000_000;
      const nothing = expected[0].points[0].map(() => 0);
      t.deepEqual(read(fleet, cursor), [{ bounds: own, points: [nothing] }]);
    }),
    { numRuns: 80 },
  );
});

test('without boundaries the first one gives the bounds; what does not contain them is a stream of its own', (t) => {
  const fleet = core();
  for (const [who, bounds] of [
    [1, 4],
    [1, 2, 4],
    [1, 2],
    [1, 2, 3],
  ].entries()) {
    const member = new DirectMember(fleet, `m${who}`);
    member.explicit(member.define(latency(bounds)), bucketed([0, 2, 3, 9], bounds), 14);
  }
  t.deepEqual(read(fleet), [
    { bounds: [1, 4], points: [[2, 4, 2, 28]] },
    { bounds: [1, 2], points: [[2, 2, 4, 28]] },
  ]);
});

test('what contains the boundaries of the view never goes into a stream that has others', (t) => {
  const fleet = core(explicit([5, 10]));
  const define = (who: string, bounds: number[]) => {
    const member = new DirectMember(fleet, who);
    member.explicit(member.define(latency(bounds), attributes({})), bucketed([1, 7, 12], bounds), 20);
  };
  define('a', [1, 5]);
  define('b', [1, 5, 10]);
  define('c', [1, 5, 20]);
  t.deepEqual(read(fleet), [
    { bounds: [1, 5], points: [[2, 0, 4, 40]] },
    { bounds: [5, 10], points: [[1, 1, 1, 20]] },
  ]);
});
