import test from 'ava';
import { keyedHash } from '../../../../otel/otlp/decode/keyed-hash.ts';

/** HalfSipHash with c compression and d finalization rounds, byte by byte after the reference's description, with the head as the first word. */
function reference(key: [number, number], message: Uint8Array, c: number, d: number): number {
  const v = [key[0], key[1], 0x6c796765 ^ key[0], 0x74656462 ^ key[1]].map((word) => word | 0);
  const rotate = (word: number, bits: number) => (word << bits) | (word >>> (32 - bits));
  const round = () => {
    v[0] = (v[0]! + v[1]!) | 0;
    v[1] = rotate(v[1]!, 5) ^ v[0];
    v[0] = rotate(v[0], 16);
    v[2] = (v[2]! + v[3]!) | 0;
    v[3] = rotate(v[3]!, 8) ^ v[2];
    v[0] = (v[0] + v[3]) | 0;
    v[3] = rotate(v[3], 7) ^ v[0];
    v[2] = (v[2] + v[1]) | 0;
    v[1] = rotate(v[1], 13) ^ v[2];
    v[2] = rotate(v[2], 16);
  };
  const padded = Buffer.alloc(Math.floor(message.length / 4) * 4 + 4);
  padded.set(message);
  padded[padded.length - 1] = message.length & 0xff;
  for (let at = 0; at < padded.length; at += 4) {
    const word = padded.readInt32LE(at);
    v[3]! ^= word;
    for (let i = 0; i < c; i++) round();
    v[0]! ^= word;
  }
  v[2]! ^= 0xff;
  for (let i = 0; i < d; i++) round();
  return v[1]! ^ v[3]!;
}

test('the reference is HalfSipHash: the first vectors of its authors for 2-4 and 32 bits', (t) => {
  const key: [number, number] = [0x03020100, 0x07060504];
  const hashes = [0, 1, 2, 3].map((n) => {
    const hash = Buffer.alloc(4);
    hash.writeInt32LE(
      reference(
        key,
        Uint8Array.from({ length: n }, (_, i) => i),
        2,
        4,
      ),
    );
    return hash.toString('hex');
  });
  t.deepEqual(hashes, ['a9359f5b', '27475ab8', 'fa62a603', '8afee704']);
});

test('the hash is HalfSipHash-1-3 of the head and the bytes, wherever they lie', (t) => {
  const bytes = Uint8Array.from({ length: 300 }, (_, i) => (i * 37 + 11) & 0xff);
  const view = new DataView(bytes.buffer);
  for (let length = 0; length < 70; length++)
    for (const start of [0, 1, 3, 200]) {
      const head = Math.imul(length + 1, 0x9e3779b1);
      const message = Buffer.alloc(4 + length);
      message.writeInt32LE(head);
      message.set(bytes.subarray(start, start + length), 4);
      const key: [number, number] = [0x12345678 ^ length, -start];
      t.is(
        keyedHash(key[0], key[1], head, view, start, start + length),
        reference(key, message, 1, 3),
        `${length} bytes from ${start}`,
      );
    }
});
