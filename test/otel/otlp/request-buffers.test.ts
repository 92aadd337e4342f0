import test from 'ava';
import { RequestBuffers } from '../../../otel/otlp/request-buffers.ts';

test('what was given back is used again where it is large enough, and what was not is left alone', (t) => {
  const buffers = new RequestBuffers();
  const one = buffers.take(8000);
  const other = buffers.take(8000);
  t.not(one.buffer, other.buffer);
  buffers.give(one);
  const shorter = buffers.take(5000);
  t.deepEqual([shorter.buffer === one.buffer, shorter.length], [true, 5000]);
  t.not(buffers.take(5000).buffer, one.buffer);
  buffers.give(shorter);
  t.not(buffers.take(9000).buffer, one.buffer, 'too small');
  t.is(buffers.take(8000).buffer, one.buffer, 'at its full length again');
});

test('two are kept, the largest', (t) => {
  const buffers = new RequestBuffers();
  const taken = [10, 30_000, 20_000].map((length) => buffers.take(length));
  for (const bytes of taken) buffers.give(bytes);
  const again = [1, 1, 1].map((length) => buffers.take(length).buffer);
  t.is(again.filter((buffer) => taken.some((bytes) => bytes.buffer === buffer)).length, 2);
  t.false(again.includes(taken[0]!.buffer));
});
