import test from 'ava';
import fc from 'fast-check';
import { ArrayCopy, GrowingArray } from '../../../otel/snapshot/array-copy.ts';
import { ColumnCopy } from '../../../otel/snapshot/column-copy.ts';
import { ColumnRuns } from '../../../otel/snapshot/column-runs.ts';
import {
  chunksInTurns,
  loadSections,
  type SectionLoader,
  SectionsLoading,
} from '../../../otel/snapshot/load-sections.ts';
import type { SnapshotChunk } from '../../../otel/snapshot/snapshot-chunk.ts';
import { SnapshotError } from '../../../otel/snapshot/snapshot-error.ts';
import { SnapshotWriter } from '../../../otel/snapshot/snapshot-writer.ts';
import { readCells, writeCells } from '../../../otel/snapshot/write-cells.ts';
import { Float64Column, Uint8Column, Uint32Column } from '../../../otel/state/columns.ts';

/** Sections of type 5: a list of names, each in a chunk of its own. */
function* named(names: readonly string[], key = 0): Generator<SnapshotChunk, void> {
  const writer = new SnapshotWriter();
  writer.begin(5, key, 1);
  writer.varint(names.length);
  for (const name of names) {
    yield writer.cut();
    writer.string(name);
  }
  yield writer.end();
}

function intoNames(names: string[]): ReadonlyMap<number, SectionLoader> {
  function* load(reader: Parameters<SectionLoader>[0]): Generator<void, void> {
    reader.expectVersion(1);
    for (let left = reader.varint(); left > 0; left--) {
      while (reader.isSpent) yield;
      names.push(reader.string());
    }
  }
  return new Map([[5, load]]);
}

/** Chunks to keep: the memory of each is used again. */
const kept = (chunks: Iterable<SnapshotChunk>): SnapshotChunk[] => Array.from(chunks, copied);
const copied = ({ type, key, bytes }: SnapshotChunk): SnapshotChunk => ({ type, key, bytes: bytes.slice() });

test('sections are loaded from a source of chunks in turns', async (t) => {
  const names: string[] = [];
  await loadSections(chunksInTurns([...kept(named(['a', 'b'])), ...kept(named(['c'], 1))]), intoNames(names));
  t.deepEqual(names, ['a', 'b', 'c']);
});

const wrongs: Record<string, [(chunks: SnapshotChunk[]) => SnapshotChunk[], RegExp]> = {
  'a chunk is missing': [(c) => [c[0]!, c[2]!, c[3]!], /chunk 2 of the section; chunk 1 is missing/],
  'two chunks have changed places': [(c) => [c[0]!, c[2]!, c[1]!, c[3]!], /chunk 1 is missing/],
  'the first chunk is missing': [(c) => c.slice(1), /begins in its middle/],
  'the last chunk is missing': [(c) => c.slice(0, 3), /its last chunk is missing/],
  'the first chunk comes twice': [(c) => [c[0]!, ...c], /begins again before its end/],
  'the section comes twice': [(c) => [...c, ...c], /comes twice/],
  'another section comes in between': [
    (c) => [c[0]!, ...kept(named(['x'], 1))],
    /section 5\/1 comes before its last chunk/,
  ],
  'the type is not known': [
    (c) => c.map((chunk) => ({ ...chunk, type: 6 })),
    /type 6 are not known; a later version/,
  ],
  'a chunk has bytes too many': [
    (c) => [{ ...c[0]!, bytes: Buffer.concat([c[0]!.bytes, Buffer.of(1, 0x41)]) }, ...c.slice(1)],
    /bytes/,
  ],
  'the last chunk has bytes too many': [
    (c) => [...c.slice(0, 3), { ...c[3]!, bytes: Buffer.concat([c[3]!.bytes, Buffer.of(1)]) }],
    /1 bytes are left after the end/,
  ],
  'a chunk is empty': [
    (c) => [c[0]!, { ...c[1]!, bytes: new Uint8Array(0) }],
    /1 bytes are needed, 0 are left/,
  ],
  'the last one comes too early': [
    (c) => [{ ...c[0]!, bytes: Buffer.concat([Buffer.of(3), c[0]!.bytes.subarray(1)]) }],
    /ends too early/,
  ],
  'the version is another one': [
    (c) => [
      { ...c[0]!, bytes: Buffer.concat([c[0]!.bytes.subarray(0, 1), Buffer.of(2), c[0]!.bytes.subarray(2)]) },
    ],
    /has version 2 of its format; this program reads version 1/,
  ],
};

for (const [name, [change, message]] of Object.entries(wrongs))
  test(`${name}: the error says it`, (t) => {
    const loading = new SectionsLoading(intoNames([]));
    const error = t.throws(
      () => {
        for (const chunk of change(kept(named(['a', 'b', 'c'])))) loading.take(chunk);
        loading.end();
      },
      { instanceOf: SnapshotError },
    );
    t.regex(error.message, message);
  });

test('columns and arrays of any length are what they were when they were copied', (t) => {
  fc.assert(
    fc.property(fc.nat(20_000), fc.nat(20_000), fc.nat(), (first, second, seed) => {
      const doubles = new Float64Column();
      const wholes = new Uint32Column();
      const bytes = new Uint8Column();
      const columns = [doubles, wholes, bytes];
      const copies = columns.map((column) => new ColumnCopy(column));
      const array = new ArrayCopy(Float64Array);
      for (const length of [first, second]) {
        for (const column of columns) {
          column.grow(length);
          for (let i = 0; i < length; i += 97) column.set(i, (i + seed) % 251);
        }
        for (const copy of copies) copy.take(length);
        const cells = Float64Array.from({ length }, (_, i) => i * seed);
        array.take(cells, length);
        const expected = columns.map((column) => Array.from({ length }, (_, i) => column.get(i)));
        const writer = new SnapshotWriter();
        writer.begin(1, 0, 1);
        const chunks: SnapshotChunk[] = [];
        for (const copy of [...copies, array])
          for (const chunk of writeCells(writer, copy, copy.length)) chunks.push(copied(chunk));
        chunks.push(copied(writer.end()));
        for (const column of columns) for (let i = 0; i < length; i++) column.set(i, 1);
        const loaded = [new Float64Column(), new Uint32Column(), new Uint8Column()];
        const growing = new GrowingArray(Float64Array);
        const loading = new SectionsLoading(
          new Map([
            [
              1,
              function* (reader) {
                for (const column of loaded)
                  t.is(yield* readCells(reader, new ColumnRuns(column), 2 ** 28, 'a column'), length);
                yield* readCells(reader, growing, 2 ** 28, 'an array');
              },
            ],
          ]),
        );
        for (const chunk of chunks) {
          t.true(chunk.bytes.length <= 96 * 1024);
          loading.take(chunk);
        }
        loading.end();
        t.true(loaded.every((column, c) => expected[c]!.every((value, i) => column.get(i) === value)));
        t.deepEqual(growing.cells.slice(0, growing.length), cells);
      }
    }),
    { numRuns: 20 },
  );
});

test('a column that is announced larger than it is takes no memory', (t) => {
  const writer = new SnapshotWriter();
  writer.begin(1, 0, 1);
  writer.varint(2 ** 27);
  const column = new Float64Column();
  const loading = new SectionsLoading(
    new Map([
      [
        1,
        function* (reader) {
          yield* readCells(reader, new ColumnRuns(column), 2 ** 28, 'a column');
        },
      ],
    ]),
  );
  t.throws(() => loading.take(writer.end()), { instanceOf: SnapshotError, message: /ends too early/ });
  t.is(column.chunks.length, 1);
});
