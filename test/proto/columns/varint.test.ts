import test from 'ava';
import fc from 'fast-check';
import { ByteWriter } from '../../../proto/columns/byte-writer.ts';
import { decodeGaps, encodeGaps } from '../../../proto/columns/gaps.ts';
import { readSint64, readVarint, varintEnd, varintSize } from '../../../proto/columns/varint.ts';
import { InvalidDataError } from '../../../proto/error.ts';

/** A protobuf varint, by the book. */
function varint(value: bigint): number[] {
  const bytes: number[] = [];
  for (; value >= 128n; value >>= 7n) bytes.push(Number(value % 128n) + 128);
  return [...bytes, Number(value)];
}

function written(write: (writer: ByteWriter) => void): number[] {
  const writer = new ByteWriter(1);
  write(writer);
  return [...writer.copy()];
}

const edges = [0, 127, 128, 16383, 16384, 2 ** 28 - 1, 2 ** 28, 2 ** 32, 2 ** 35, 2 ** 53 - 1];
const anyUnsigned = fc.oneof(fc.maxSafeInteger().map(Math.abs), fc.nat(), fc.constantFrom(...edges));

test('varints are those of protobuf', (t) => {
  fc.assert(
    fc.property(anyUnsigned, (value) => {
      const bytes = varint(BigInt(value));
      t.deepEqual(
        written((writer) => writer.varint(value)),
        bytes,
      );
      t.is(varintSize(value), bytes.length);
      t.is(readVarint(Uint8Array.from([9, ...bytes, 9]), 1, bytes.length + 1), value);
      t.is(varintEnd(Uint8Array.from([9, ...bytes, 9]), 1, bytes.length + 1), bytes.length + 1);
    }),
    { numRuns: 300 },
  );
});

test('sint64 within ±2^53', (t) => {
  const limits = [2 ** 52, -(2 ** 52), 2 ** 53, -(2 ** 53), 2 ** 52 - 1, 2 ** 48, -(2 ** 48)];
  fc.assert(
    fc.property(fc.oneof(fc.maxSafeInteger(), fc.integer(), fc.constantFrom(...limits)), (value) => {
      const zigzag = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
      const bytes = varint(zigzag);
      t.deepEqual(
        written((writer) => writer.sint64(value)),
        bytes,
      );
      t.is(readSint64(Uint8Array.from(bytes), 0, bytes.length), value);
    }),
    { numRuns: 300 },
  );
});

test('what is cut off, too long or too large is refused', (t) => {
  const refused = (
    bytes: readonly number[],
    read: (bytes: Uint8Array, start: number, end: number) => number,
  ) => t.throws(() => read(Uint8Array.from(bytes), 0, bytes.length), { instanceOf: InvalidDataError });
  refused([], readVarint);
  refused([0x80], readVarint);
  refused(new Array(10).fill(0x80).concat(0), readVarint);
  refused(varint(2n ** 53n), readVarint);
  refused(varint(2n ** 64n - 1n), readVarint);
  refused([0x80, 0x80], varintEnd);
  refused(new Array(11).fill(0x80), varintEnd);
  refused(varint(2n ** 64n - 1n), readSint64);
  refused([0x80], readSint64);
});

test('gaps give the numbers back', (t) => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(500)), (numbers) => {
      const places = numbers.sort((a, b) => a - b);
      const bytes = Uint8Array.from(written((writer) => encodeGaps(places, writer)));
      const into = new Uint32Array(501);
      const count = decodeGaps(bytes, 0, bytes.length, 501, into);
      t.deepEqual([...into.subarray(0, count)], places);
    }),
    { numRuns: 100 },
  );
  t.deepEqual(
    written((writer) => encodeGaps([2, 3, 7], writer)),
    [2, 0, 3],
  );
});

test('gaps beyond the limit are refused, so there are never more of them', (t) => {
  const into = new Uint32Array(3);
  t.is(decodeGaps(Uint8Array.of(0, 0, 0), 0, 3, 3, into), 3);
  t.throws(() => decodeGaps(Uint8Array.of(0, 0, 0, 0), 0, 4, 3, into), { instanceOf: InvalidDataError });
  t.throws(() => decodeGaps(Uint8Array.of(3), 0, 1, 3, into), { instanceOf: InvalidDataError });
  t.throws(() => decodeGaps(Uint8Array.of(0x80), 0, 1, 3, into), { instanceOf: InvalidDataError });
});
