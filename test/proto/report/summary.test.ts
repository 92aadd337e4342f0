import test from 'ava';
import fc from 'fast-check';
import { InvalidDataError } from '../../../proto/error.ts';
import { decodeReport } from '../../../proto/report/read-report.ts';
import { StreamColumns } from '../../../proto/report/stream-columns.ts';
import { encodeReport, type GroupState } from '../../../proto/report/write-report.ts';

interface Summary {
  readonly count: number;
  readonly sum: number;
  readonly values: readonly number[];
}

function stateOf(summaries: readonly Summary[]): GroupState {
  return {
    group: 1,
    timeUs: 0,
    summaryCounts: Float64Array.from(summaries, ({ count }) => count),
    summarySums: Float64Array.from(summaries, ({ sum }) => sum),
    summaryQuantileValues: Float64Array.from(summaries.flatMap(({ values }) => values)),
  };
}

function summariesOf(columns: StreamColumns): Summary[] {
  const { count, counts, sums, quantileValues, firstCells } = columns.groups.get(1)!.summaries;
  return Array.from({ length: count }, (_, i) => ({
    count: counts.values[i],
    sum: sums.values[i],
    values: [...quantileValues.values.subarray(firstCells[i], firstCells[i + 1])],
  }));
}

const anyStep = fc.oneof(
  { weight: 2, arbitrary: fc.record({ quantiles: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ retire: fc.nat() }) },
  {
    weight: 4,
    arbitrary: fc.record({ values: fc.array(fc.double(), { minLength: 6, maxLength: 6 }), only: fc.nat() }),
  },
);

test('both ends agree over any sequence of definitions, retirements and reports', (t) => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 30 }), (steps) => {
      const ends = [new StreamColumns(), new StreamColumns()] as const;
      const [sender, receiver] = ends;
      const held = new Map<number, Summary>();
      let report = 0;
      for (const step of steps) {
        if ('quantiles' in step) {
          const number = sender.lastNumber + 1;
          const { quantiles } = step;
          for (const end of ends)
            end.define({ number, group: 1, kind: 'summary', quantiles, attached: 7 * number });
          held.set(number, { count: 0, sum: 0, values: new Array(quantiles).fill(0) });
        } else if (held.size === 0) {
          continue;
        } else if ('retire' in step) {
          const number = [...held.keys()][step.retire % held.size];
          for (const end of ends) end.retire(number);
          held.delete(number);
        } else {
          const number = [...held.keys()][step.only % held.size];
          const before = held.get(number)!;
          const after = {
            count: step.values[4],
            sum: step.values[5],
            values: step.values.slice(0, before.values.length),
          };
          held.set(number, after);
          const list = [...held.values()];
          decodeReport(encodeReport(sender, [stateOf(list)], ++report), receiver);
          t.deepEqual(summariesOf(receiver), list);
          const { changed, changedCount } = receiver.groups.get(1)!.summaries;
          const isChanged = [after.count, after.sum, ...after.values].some(
            (value, i) => !Object.is(value, [before.count, before.sum, ...before.values][i]),
          );
          t.deepEqual([...changed.subarray(0, changedCount)], isChanged ? [list.indexOf(after)] : []);
        }
        const { counts } = receiver.groups.get(1)!.summaries;
        t.deepEqual([...counts.numbers.subarray(0, counts.size)], [...held.keys()]);
        t.deepEqual(
          [...counts.attached.subarray(0, counts.size)],
          [...held.keys()].map((number) => 7 * number),
        );
        t.is(
          receiver.cells,
          [...held.values()].reduce((cells, { values }) => cells + 2 + values.length, 0),
        );
      }
    }),
    { numRuns: 150 },
  );
});

test('refused: more values than quantiles, and a number of quantiles that is none', (t) => {
  const [sender, receiver] = [new StreamColumns(), new StreamColumns()];
  sender.define({ number: 1, group: 1, kind: 'summary', quantiles: 3 });
  receiver.define({ number: 1, group: 1, kind: 'summary', quantiles: 2 });
  const bytes = encodeReport(sender, [stateOf([{ count: 1, sum: 1, values: [1, 2, 3] }])], 1);
  t.throws(() => decodeReport(bytes, receiver), {
    instanceOf: InvalidDataError,
    message: /longer than the 2/,
  });
  for (const quantiles of [-1, 0.5])
    t.throws(() => receiver.define({ number: 2, group: 1, kind: 'summary', quantiles }), {
      instanceOf: InvalidDataError,
    });
});
