import { constants, type Http2Stream } from 'node:http2';
import type { ServerDuplexStream } from '@grpc/grpc-js';

/**
 * Resets the HTTP/2 stream of a call, so that it ends whether or not the peer reads. The peer sees RESOURCE_EXHAUSTED, unless it has
 * had a status. A status alone waits behind all that is unread, and grpc-js has no other way to end a call on servers, so this reaches
 * for the stream inside; test/collector/receivers/stream-calls.test.ts fails when it is no longer there.
 */
export function resetStream(call: ServerDuplexStream<Buffer, Buffer>): void {
  let inner = (call as unknown as { call?: InnerCall }).call;
  while (inner?.nextCall !== undefined) inner = inner.nextCall;
  if (typeof inner?.stream?.close !== 'function')
    throw new Error('this version of @grpc/grpc-js does not show the HTTP/2 stream of a call');
  if (!inner.stream.closed) inner.stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
}

/** What grpc-js has inside a call: interceptors, each with the next one, and at last the stream. */
interface InnerCall {
  readonly nextCall?: InnerCall;
  readonly stream?: Http2Stream;
}
