import test from 'ava';
import fc from 'fast-check';
import { GrpcFrames } from '../../../otel/sdk/grpc-frames.ts';

function framed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

test('messages come out whole and in order, wherever the bytes were cut', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 }),
      (messages, cuts) => {
        const bytes = Buffer.concat(messages.map(framed));
        const frames = new GrpcFrames();
        const seen: Buffer[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const end = at + cuts[i % cuts.length]!;
          const fault = frames.push(bytes.subarray(at, end), (message) => seen.push(Buffer.from(message)));
          if (fault !== undefined) throw new Error(fault);
          at = end;
        }
        t.deepEqual(
          seen.map((message) => message.toString('hex')),
          messages.map((message) => Buffer.from(message).toString('hex')),
        );
      },
    ),
    { numRuns: 200 },
  );
});

test('a compressed message and one that is too long are faults', (t) => {
  const none = () => t.fail();
  t.regex(new GrpcFrames().push(Buffer.from([1, 0, 0, 0, 0]), none)!, /compressed/);
  t.regex(new GrpcFrames().push(Buffer.from([0, 0xff, 0, 0, 0]), none)!, /4278190080 bytes; at most 4194304/);
});
