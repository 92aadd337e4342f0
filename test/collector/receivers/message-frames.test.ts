import test from 'ava';
import fc from 'fast-check';
import { FrameTooLongError, frameOf, MessageFrames } from '../../../collector/receivers/message-frames.ts';
import { framed } from './http2-peer.ts';

/** All messages in the bytes, each with its flag, when these come in pieces. */
function read(
  frames: MessageFrames,
  pieces: readonly Buffer[],
): { message: string; isCompressed: boolean }[] {
  const found: { message: string; isCompressed: boolean }[] = [];
  for (const piece of pieces) {
    frames.push(piece);
    for (let bytes = frames.next(); bytes !== undefined; bytes = frames.next())
      found.push({ message: bytes.toString('hex'), isCompressed: frames.isCompressed });
  }
  return found;
}

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = [
    0,
    ...at.map((part) => Math.floor(part * bytes.length)).sort((a, b) => a - b),
    bytes.length,
  ];
  return places.slice(1).map((place, i) => bytes.subarray(places[i], place));
}

test('messages come out as they went in, however their bytes are cut', (t) => {
  const message = fc.record({
    bytes: fc.oneof(
      fc.uint8Array({ maxLength: 20 }),
      fc.uint8Array({ minLength: 500, maxLength: 2000, size: 'max' }),
    ),
    isCompressed: fc.boolean(),
  });
  const parts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 6 }), parts, (messages, at) => {
      const bytes = Buffer.concat(messages.map((m) => framed(m.bytes, m.isCompressed ? 1 : 0)));
      t.deepEqual(
        read(new MessageFrames(2000), cut(bytes, at)),
        messages.map((m) => ({
          message: Buffer.from(m.bytes).toString('hex'),
          isCompressed: m.isCompressed,
        })),
      );
    }),
    { numRuns: 300 },
  );
});

test('byte by byte, with empty pieces between', (t) => {
  const messages = [Buffer.alloc(0), Buffer.from('a'), Buffer.alloc(1000, 7), Buffer.alloc(0)];
  const bytes = Buffer.concat(messages.map((message) => framed(message)));
  const pieces = [...bytes].flatMap((byte) => [Buffer.from([byte]), Buffer.alloc(0)]);
  t.deepEqual(
    read(new MessageFrames(1000), pieces).map(({ message }) => message),
    messages.map((message) => message.toString('hex')),
  );
});

test('a message of the greatest length is taken; a longer one is refused as soon as its length is known', (t) => {
  const frames = new MessageFrames(10);
  t.is(read(frames, [framed(Buffer.alloc(10))]).length, 1);
  for (const pieces of [
    [framed(Buffer.alloc(11))],
    [framed(Buffer.alloc(11)).subarray(0, 5)],
    cut(framed(Buffer.alloc(11)), [0.1, 0.2]),
  ])
    t.throws(() => read(new MessageFrames(10), pieces), {
      instanceOf: FrameTooLongError,
      message: 'Received message larger than max (11 vs 10)',
    });
});

test('a length that is declared and not sent takes no memory', (t) => {
  const head = framed(Buffer.alloc(0));
  head.writeUInt32BE(2 ** 31, 1);
  const before = process.memoryUsage().arrayBuffers;
  const held = Array.from({ length: 1000 }, () => {
    const frames = new MessageFrames(2 ** 32);
    read(frames, [head, Buffer.from([1])]);
    return frames;
  });
  t.true(process.memoryUsage().arrayBuffers - before < 10 * 1024 * 1024);
  t.is(held.length, 1000);
});

test('what is written can be read', (t) => {
  for (const text of ['', 'x', 'text '.repeat(1000)]) {
    t.deepEqual(frameOf(Buffer.from(text)), framed(Buffer.from(text)));
    t.deepEqual(read(new MessageFrames(10_000), [frameOf(Buffer.from(text))]), [
      { message: Buffer.from(text).toString('hex'), isCompressed: false },
    ]);
  }
});
