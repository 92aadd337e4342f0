import { constants, type Http2Stream } from 'node:http2';
import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import type { AgentCall, CallListener } from './agent-call.ts';
import { type Backlog, noBacklog } from './backlog.ts';

type Call = ServerDuplexStream<Buffer, Buffer>;

/** A call as grpc-js serves it: how streams are held where its HTTP/2 servers cannot be had. */
export class GrpcJsCall implements AgentCall {
  readonly #call: Call;
  readonly #lingerMs: number;
  readonly #backlog: Backlog;

  /**
   * @param lingerMs a peer that has not let go of a call that we ended is cut off after this
   * @param backlog while it is congested, nothing more is read
   */
  constructor(call: Call, lingerMs: number, backlog = noBacklog) {
    this.#call = call;
    this.#lingerMs = lingerMs;
    this.#backlog = backlog;
    call.on('error', () => {});
  }

  get address(): string {
    return this.#call.getPeer();
  }

  listen({ message, halfClosed, closed }: CallListener): void {
    this.#call.on('data', (bytes: Buffer) => {
      message(bytes);
      if (!this.#backlog.isCongested) return;
      this.#call.pause();
      void this.#backlog.drained().then(() => this.#call.resume());
    });
    this.#call.on('end', halfClosed);
    for (const event of ['cancelled', 'close', 'error']) this.#call.on(event, closed);
  }

  write(bytes: Buffer, onTaken: () => void): void {
    this.#call.write(bytes, onTaken);
  }

  end(code: status, details: string): void {
    // The call's own close is told when it is ended here, not when the peer has let go.
    setTimeout(() => this.reset(), this.#lingerMs).unref();
    if (code === status.OK) this.#call.end();
    else this.#call.emit('error', { code, details });
  }

  reset(): void {
    resetStream(this.#call);
  }
}

/**
 * A status alone waits behind all that is unread, and grpc-js has no other way to end a call on servers, so this reaches for the
 * stream inside; test/collector/receivers/grpc-js-call.test.ts fails when it is no longer there.
 */
export function resetStream(call: Call): void {
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
