import test from 'ava';
import { decodeReport } from '../../../proto/report/read-report.ts';
import { StreamColumns } from '../../../proto/report/stream-columns.ts';
import { encodeReport, type GroupState } from '../../../proto/report/write-report.ts';

/** Two groups with a sum and a gauge each, at both ends. */
function makeStream() {
  const make = () => {
    const columns = new StreamColumns();
    columns.define({ number: 1, group: 1, kind: 'sum' });
    columns.define({ number: 2, group: 1, kind: 'gauge' });
    columns.define({ number: 3, group: 2, kind: 'sum' });
    return columns;
  };
  const sender = make();
  const receiver = make();
  let number = 0;
  return {
    sender,
    receiver,
    /** Gives the length of the message and what was decoded of all groups. */
    send(...groups: GroupState[]): { length: number; values: number[] } {
      const bytes = encodeReport(sender, groups, ++number);
      decodeReport(Buffer.from(bytes), receiver);
      const [first, second] = [receiver.groups.get(1)!, receiver.groups.get(2)!];
      return {
        length: bytes.length,
        values: [first.sums.values[0], first.gauges.values[0], second.sums.values[0]],
      };
    },
  };
}

const state = (group: number, report: number, sum: number, gauge: number): GroupState => ({
  group,
  timeUs: report * 1_000_000,
  sums: Float64Array.of(sum),
  gauges: Float64Array.of(gauge),
});

test('a report in which everything moved as it always does holds a group and nothing else', (t) => {
  const { send } = makeStream();
  for (let i = 1; i <= 10; i++)
    t.deepEqual(send(state(1, i, i * 1000, i * 70)).values, [i * 1000, i * 70, 0]);
  t.deepEqual(send(state(1, 11, 11_000, 770)), { length: 4, values: [11_000, 770, 0] });
});

test('a group that is not in a report does not drift', (t) => {
  const { send } = makeStream();
  for (let i = 1; i <= 10; i++) send(state(1, i, i * 1000, i * 70), state(2, i, i * 300, 0));
  t.deepEqual(send(state(1, 11, 11_000, 770)).values, [11_000, 770, 3000]);
  t.deepEqual(send(state(2, 12, 3300, 0)).values, [11_000, 770, 3300]);
});

test('a column that is given no values stands still, drifts or not', (t) => {
  const { send, sender } = makeStream();
  for (let i = 1; i <= 10; i++) send(state(1, i, i * 1000, i * 70));
  t.is(sender.groups.get(1)!.sums.drifts!.count, 1);
  t.deepEqual(send({ group: 1, timeUs: 11_000_000 }).values, [10_000, 700, 0]);
  t.deepEqual(send(state(1, 12, 11_000, 770)).values, [11_000, 770, 0]);
});

test('a series that takes the place of a retired one does not inherit its drift', (t) => {
  const { send, sender, receiver } = makeStream();
  for (let i = 1; i <= 10; i++) send(state(1, i, i * 1000, i * 70));
  for (const columns of [sender, receiver]) {
    columns.retire([1]);
    columns.define({ number: 4, group: 1, kind: 'sum' });
  }
  t.deepEqual(send(state(1, 11, 5, 770)).values, [5, 770, 0]);
  t.deepEqual(send(state(1, 12, 5, 840)).values, [5, 840, 0]);
});
