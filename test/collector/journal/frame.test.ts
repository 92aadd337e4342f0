import test from 'ava';
import fc from 'fast-check';
import {
  frameHeaderBytes,
  readFrame,
  readRecords,
  recordSize,
  sealFrame,
  writeRecord,
} from '../../../collector/journal/frame.ts';

const lengths = [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152];

for (const length of lengths)
  test(`a record of ${length} bytes takes as many as it says and comes back`, (t) => {
    const bytes = Buffer.alloc(length, 0xab);
    const frame = Buffer.alloc(recordSize(length));
    t.is(
      writeRecord(frame, 0, 200, bytes.subarray(0, bytes.length >> 1), bytes.subarray(bytes.length >> 1)),
      frame.length,
    );
    const [record, ...others] = readRecords(frame, 1000)!;
    t.deepEqual(others, []);
    t.is(record!.type, 200);
    t.is(record!.position, 1000 + frame.length);
    t.true(record!.bytes.equals(bytes));
  });

test('any bytes at all are records that fill them, or none', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const records = readRecords(Buffer.from(bytes), 0);
      const sum = records?.reduce((total, record) => total + record.bytes.length, 0) ?? 0;
      if (sum > bytes.length) throw new Error('more than there is');
      if (records !== undefined && records.length > 0 && records.at(-1)!.position !== bytes.length)
        throw new Error('not filled');
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

test('any bytes at all are a frame that lies within them, or none', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(120), (bytes, offset) => {
      const found = readFrame(Buffer.concat([Buffer.from('SGFR'), bytes]), offset, 1);
      if (typeof found === 'object') throw new Error('a checksum of 32 bits was hit by chance');
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

test('a frame tells how far the journal was committed, and is none with another salt', (t) => {
  const frame = Buffer.alloc(frameHeaderBytes + recordSize(3));
  writeRecord(frame, frameHeaderBytes, 1, Buffer.from('a'), Buffer.from('bc'));
  const position = 2 ** 40 + 7;
  const checksum = sealFrame(frame, {
    salt: 99,
    previous: 0xffff_fffe,
    position,
    committed: position - 1234,
  });
  const expected = { checksum, previous: 0xffff_fffe, bodyBytes: 5, position, committed: position - 1234 };
  t.deepEqual(readFrame(frame, 0, 99), expected);
  t.is(readFrame(frame, 0, 98), 'bad');
  t.is(readFrame(frame.subarray(0, -1), 0, 99), 'cut');
});
