import test from 'ava';
import fc from 'fast-check';
import {
  AttributeMap,
  type Attributes,
  type AttributeValue,
  attributes,
} from '../../../otel/model/attributes.ts';
import { fullChunkBytes, type SnapshotChunk } from '../../../otel/snapshot/snapshot-chunk.ts';
import { SnapshotError } from '../../../otel/snapshot/snapshot-error.ts';
import { SnapshotReader } from '../../../otel/snapshot/snapshot-reader.ts';
import { SnapshotWriter } from '../../../otel/snapshot/snapshot-writer.ts';

type Op =
  | readonly [kind: 'varint' | 'sint' | 'float64' | 'byte', value: number]
  | readonly ['string' | 'text', string]
  | readonly ['boolean', boolean]
  | readonly ['bytes', Uint8Array]
  | readonly ['attributes', Attributes];

const anyString = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('\ud800', 'a', '\udc00', 'é') }),
  fc.constantFrom('GET', 'POST'),
);
const anyValue: fc.Arbitrary<AttributeValue> = fc.letrec<{ value: AttributeValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    anyString,
    fc.boolean(),
    fc.double(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.constant(null),
    fc.uint8Array({ maxLength: 20 }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc
      .array(fc.tuple(anyString, tie('value')), { maxLength: 3 })
      .map((pairs) => new AttributeMap(attributes(pairs))),
  ),
})).value;
const anyAttributes = fc
  .array(fc.tuple(anyString, anyValue), { maxLength: 5 })
  .map((pairs) => attributes(pairs));
const anyOp: fc.Arbitrary<Op> = fc.oneof(
  fc.tuple(fc.constant('varint' as const), fc.maxSafeNat()),
  fc.tuple(fc.constant('sint' as const), fc.integer({ min: -(2 ** 52), max: 2 ** 52 - 1 })),
  fc.tuple(fc.constant('float64' as const), fc.double()),
  fc.tuple(fc.constant('byte' as const), fc.integer({ min: 0, max: 255 })),
  fc.tuple(fc.constantFrom('string' as const, 'text' as const), anyString),
  fc.tuple(fc.constant('boolean' as const), fc.boolean()),
  fc.tuple(fc.constant('bytes' as const), fc.uint8Array({ maxLength: 300 })),
  fc.tuple(fc.constant('attributes' as const), anyAttributes),
);

function write(ops: readonly Op[], cuts: ReadonlySet<number>): SnapshotChunk[] {
  const writer = new SnapshotWriter();
  const chunks: SnapshotChunk[] = [];
  const keep = ({ type, key, bytes }: SnapshotChunk) => chunks.push({ type, key, bytes: bytes.slice() });
  writer.begin(7, 3, 2);
  for (const [i, [kind, value]] of ops.entries()) {
    (writer[kind] as (value: unknown) => void).call(writer, value);
    if (cuts.has(i)) keep(writer.cut());
  }
  keep(writer.end());
  return chunks;
}

function read(chunks: readonly SnapshotChunk[], ops: readonly Op[]): unknown[] {
  const reader = new SnapshotReader();
  const rest = chunks.values();
  const values: unknown[] = [];
  reader.take(rest.next().value!);
  for (const [kind] of ops) {
    while (reader.isSpent && !reader.isLast) reader.take(rest.next().value!);
    values.push(reader[kind]());
  }
  while (!reader.isLast) reader.take(rest.next().value!);
  if (!reader.isSpent) throw reader.error('bytes are left');
  return values;
}

test('whatever is written is read again, wherever chunks were cut', (t) => {
  fc.assert(
    fc.property(fc.array(anyOp, { maxLength: 30 }), fc.array(fc.nat(30)), (ops, cuts) => {
      t.deepEqual(
        read(write(ops, new Set(cuts)), ops),
        ops.map(([, value]) => value),
      );
    }),
    { numRuns: 300 },
  );
});

test('any bytes give values or a SnapshotError', (t) => {
  let errors = 0;
  fc.assert(
    fc.property(
      fc.array(anyOp, { minLength: 1, maxLength: 10 }),
      fc.array(fc.nat(10)),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      fc.nat(),
      (ops, cuts, changes, cutAt) => {
        const chunks = write(ops, new Set(cuts));
        for (const [at, value] of changes) {
          const { bytes } = chunks[at % chunks.length]!;
          bytes[at % bytes.length] = value;
        }
        const last = chunks.length - 1;
        chunks[last] = {
          ...chunks[last]!,
          bytes: chunks[last]!.bytes.subarray(0, cutAt % (chunks[last]!.bytes.length + 1)),
        };
        try {
          read(chunks, ops);
        } catch (error) {
          // The stand-in for a driver above takes what is not there when the last chunk does not say that it is the last.
          if (error instanceof TypeError && /undefined/.test(error.message)) return;
          errors++;
          if (!(error instanceof SnapshotError)) throw error;
          t.regex(error.message, /^snapshot section 7\/3/);
        }
      },
    ),
    { numRuns: 300 },
  );
  t.true(errors > 100);
});

test('a text that comes again takes a byte, and a section remembers only its own', (t) => {
  const writer = new SnapshotWriter();
  writer.begin(1, 0, 1);
  writer.text('http.request.method');
  const once = writer.cut().bytes.length;
  writer.text('http.request.method');
  t.is(writer.end().bytes.length, 3);
  writer.begin(1, 1, 1);
  writer.text('http.request.method');
  t.is(writer.end().bytes.length, once);
});

test('a chunk is full before it has 96 KiB', (t) => {
  const writer = new SnapshotWriter();
  writer.begin(1, 0, 1);
  const values = new Float64Array(4096);
  while (!writer.isFull) writer.cells(values, 0, 4096);
  const { bytes } = writer.end();
  t.true(bytes.length >= fullChunkBytes && bytes.length <= 96 * 1024);
});
