import test from 'ava';
import fc from 'fast-check';
import {
  entryOf,
  isForeign,
  kindCodeOf,
  kindsByCode,
  MemberSeries,
  slotOf,
} from '../../../otel/state/member-series.ts';
import { SeriesColumns } from '../../../otel/state/series-columns.ts';

const kinds = ['sum', 'gauge', 'summary'] as const;

/** What a series is known by: with a kind, since definitions of different kinds are different ones. */
const key = fc.record({ definition: fc.nat(60), resource: fc.option(fc.nat(2), { nil: undefined }) });
type Key = typeof key extends fc.Arbitrary<infer T> ? T : never;

const kindOf = ({ definition }: Key) => kinds[definition % kinds.length]!;
const text = ({ definition, resource }: Key) => `${definition} ${resource}`;

test('an entry holds slot, kind and whether the series is foreign', (t) => {
  for (const kind of kindsByCode)
    for (const slot of [1, 4096, 2 ** 28 - 1])
      for (const foreign of [false, true]) {
        const entry = entryOf(kind, slot, foreign);
        t.deepEqual([slotOf(entry), kindsByCode[kindCodeOf(entry)], isForeign(entry)], [slot, kind, foreign]);
        t.is(new Uint32Array([entry])[0], entry);
      }
});

test('series are found, put in and taken out as in a Map', (t) => {
  const steps = fc.array(fc.record({ key, isDelete: fc.boolean() }), { maxLength: 200 });
  t.notThrows(() =>
    fc.assert(
      fc.property(steps, (list) => {
        const columns = kindsByCode.map(() => new SeriesColumns());
        const table = new MemberSeries(columns);
        const model = new Map<string, number>();
        const find = (of: Key) => table.slot(kindOf(of), of.definition, of.resource);
        for (const { key: of, isDelete } of list) {
          const kind = kindOf(of);
          const series = columns[kindsByCode.indexOf(kind)]!;
          const held = model.get(text(of));
          if (find(of) !== (held ?? 0)) throw new Error(`${text(of)} is at ${find(of)} for ${held}`);
          if (isDelete) {
            const entry = entryOf(kind, held ?? series.length, of.resource !== undefined);
            if (held !== undefined && !table.delete(entry)) throw new Error('it was not here');
            model.delete(text(of));
          } else if (held === undefined) {
            const slot = series.allocate();
            series.definition.set(slot, of.definition);
            // What its resource is matters for foreign series only.
            series.resource.set(slot, of.resource ?? 1);
            table.add(entryOf(kind, slot, of.resource !== undefined));
            model.set(text(of), slot);
          }
          if (table.size !== model.size) throw new Error(`${table.size} for ${model.size}`);
        }
        const visited: number[] = [];
        table.forEach((entry) => {
          visited.push(entry);
        });
        visited.sort((a, b) => a - b);
        if (String(visited.map(slotOf).sort()) !== String([...model.values()].sort()))
          throw new Error(`${visited.map(slotOf)} were visited`);
        if (String(visited) !== String([...table.sorted()])) throw new Error('sorted gives others');
      }),
      { numRuns: 300 },
    ),
  );
});

test('a table that was large and is empty again finds nothing, and takes what comes', (t) => {
  const columns = kindsByCode.map(() => new SeriesColumns());
  const table = new MemberSeries(columns);
  const [sums] = columns as [SeriesColumns];
  const slots = Array.from({ length: 5000 }, (_, definition) => {
    const slot = sums.allocate();
    sums.definition.set(slot, definition);
    table.add(entryOf('sum', slot));
    return slot;
  });
  t.true(slots.every((slot, definition) => table.slot('sum', definition, undefined) === slot));
  t.is(table.slot('gauge', 7, undefined), 0);
  t.is(table.slot('sum', 7, 0), 0);
  for (const slot of slots.slice(0, 4999)) t.true(table.delete(entryOf('sum', slot)));
  t.is(table.size, 1);
  t.is(table.slot('sum', 4999, undefined), slots[4999]);
  t.false(table.delete(entryOf('sum', slots[0]!)));
  t.true(table.delete(entryOf('sum', slots[4999]!)));
  t.is(table.slot('sum', 4999, undefined), 0);
  t.deepEqual([...table.sorted()], []);
  for (const slot of slots) table.add(entryOf('sum', slot));
  t.true(slots.every((slot, definition) => table.slot('sum', definition, undefined) === slot));
});
