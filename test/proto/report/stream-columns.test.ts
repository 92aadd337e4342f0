import test from 'ava';
import { InvalidDataError, StreamgaugeError } from '../../../proto/error.ts';
import { StreamColumns } from '../../../proto/report/stream-columns.ts';

test('a number is never used again, and never goes down', (t) => {
  const columns = new StreamColumns();
  columns.define({ number: 5, group: 1, kind: 'sum' });
  columns.retire(5);
  for (const number of [5, 4, 0, -1, 1.5, 2 ** 32, Number.NaN])
    t.throws(() => columns.define({ number, group: 1, kind: 'sum' }), { instanceOf: InvalidDataError });
  columns.define({ number: 6, group: 1, kind: 'sum' });
  t.is(columns.size, 1);
});

test('each kind of series has its place, and what is attached is found by it', (t) => {
  const columns = new StreamColumns();
  const kinds = ['summary', 'exponential_histogram', 'gauge', 'histogram', 'sum'] as const;
  kinds.forEach((kind, i) => {
    columns.define({ number: 2 * i + 1, group: 1, kind, buckets: 2, quantiles: 2, attached: 10 * i });
    columns.define({ number: 2 * i + 2, group: 1, kind, buckets: 3, quantiles: 0, attached: 10 * i + 1 });
  });
  const group = columns.groups.get(1)!;
  t.is(group.places, 10);
  const places = Array.from({ length: 10 }, (_, place) => place);
  const inOrder = ['sum', 'gauge', 'histogram', 'exponential_histogram', 'summary'];
  t.deepEqual(
    places.map((place) => group.kindAt(place)),
    inOrder.flatMap((kind) => [kind, kind]),
  );
  t.deepEqual(
    places.map((place) => group.numberAt(place)),
    [9, 10, 5, 6, 7, 8, 3, 4, 1, 2],
  );
  columns.attach(2, 77);
  columns.attach(3, 78);
  t.deepEqual(
    places.map((place) => group.attachedAt(place)),
    [40, 41, 20, 21, 30, 31, 78, 11, 0, 77],
  );
  t.deepEqual(
    [1, 2, 3, 4].map((number) => columns.attachedOf(number)),
    [0, 77, 78, 11],
  );
  t.is(columns.cells, 2 + 2 + 5 + 14 + 6);
  columns.retire([1, 3, 5, 7, 9]);
  t.is(columns.cells, 1 + 1 + 3 + 7 + 2);
  t.is(group.numberAt(3), 4);
  t.is(group.numberAt(4), 2);
  t.is(columns.size, 5);
});

test('the cells of a stream are bounded', (t) => {
  const columns = new StreamColumns({ maxCells: 10 });
  columns.define({ number: 1, group: 1, kind: 'histogram', buckets: 6, hasSum: true, hasMin: true });
  t.is(columns.cells, 8);
  const error = t.throws(
    () => columns.define({ number: 2, group: 1, kind: 'histogram', buckets: 2, hasMax: true }),
    { instanceOf: StreamgaugeError },
  );
  t.is(error.kind, 'overloaded');
  t.true(error.retryable);
  columns.retire(1);
  t.is(columns.cells, 0);
  columns.define({ number: 2, group: 1, kind: 'histogram', buckets: 2, hasMax: true });
  t.throws(() => columns.define({ number: 3, group: 1, kind: 'histogram', buckets: 0 }), {
    instanceOf: InvalidDataError,
  });
});

test('retiring checks all numbers before it changes anything', (t) => {
  const columns = new StreamColumns();
  for (let number = 1; number <= 5; number++) columns.define({ number, group: number % 2, kind: 'gauge' });
  for (const numbers of [
    [1, 7],
    [2, 1],
    [3, 3],
  ])
    t.throws(() => columns.retire(numbers), { instanceOf: InvalidDataError });
  t.is(columns.size, 5);
  columns.retire(Uint32Array.of(2, 3));
  t.throws(() => columns.retire(2), { instanceOf: InvalidDataError });
  t.deepEqual([...columns.groups.get(1)!.gauges.numbers.subarray(0, 2)], [1, 5]);
  t.deepEqual([...columns.groups.get(0)!.gauges.numbers.subarray(0, 1)], [4]);
});

test('what is attached to a series is found, changed and kept in step', (t) => {
  const columns = new StreamColumns();
  columns.define({ number: 1, group: 1, kind: 'histogram', buckets: 2, hasSum: true, attached: 10 });
  columns.define({ number: 2, group: 1, kind: 'histogram', buckets: 3, hasSum: true, attached: 20 });
  columns.define({ number: 3, group: 2, kind: 'sum', attached: 30 });
  columns.attach(2, 21);
  columns.attach(9, 1);
  t.is(columns.attachedOf(2), 21);
  columns.retire(1);
  t.is(columns.attachedOf(1), undefined);
  t.is(columns.attachedOf(3), 30);
  t.is(columns.groupOf(3)?.group, 2);
  const { histograms } = columns.groups.get(1)!;
  t.deepEqual([...histograms.bucketCounts.attached.subarray(0, 3)], [21, 21, 21]);
  t.deepEqual([...histograms.bucketCounts.offsets!.subarray(0, 3)], [0, 0, 0]);
  t.deepEqual([...histograms.firstCells.subarray(0, 2)], [0, 3]);
  t.is(histograms.count, 1);
  t.is(histograms.sums.attached[0], 21);
});
