import type { ServerDuplexStream } from '@grpc/grpc-js';
import test from 'ava';
import { resetStream } from '../../../collector/receivers/grpc-js-call.ts';

// That it does reset streams is in stream-calls.test.ts.
test('a call that hides its HTTP/2 stream is an error', (t) => {
  t.throws(() => resetStream({} as ServerDuplexStream<Buffer, Buffer>), { message: /does not show/ });
});
