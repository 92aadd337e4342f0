import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { status } from '@grpc/grpc-js';
import type { AgentCall, CallListener } from './agent-call.ts';
import { timeoutMs } from './call-deadline.ts';
import { acceptedEncodings, type DecompressionError, decompressMessage } from './decompress-message.ts';
import { frameOf, MessageFrames } from './message-frames.ts';

export interface Http2CallOptions {
  /** One message, as it comes and uncompressed. */
  readonly maxMessageBytes: number;
  /** A peer that has not let go of a call that we ended is cut off after this. */
  readonly lingerMs: number;
}

const responseHeaders = {
  ':status': 200,
  'content-type': 'application/grpc+proto',
  'grpc-accept-encoding': acceptedEncodings,
  'grpc-encoding': 'identity',
};

/**
 * A gRPC call right on its HTTP/2 stream: what "gRPC over HTTP2" asks of a server, for one method with streams both ways. Messages go
 * to the listener as they come out of the socket, without a queue: what is not read stays with HTTP/2's flow control. grpc-js' own
 * calls, made for any method, pass each message through a queue, a promise and a second stream, and stop and start the HTTP/2 stream
 * around it, which costs as much as everything else that receiving a report does (`npm run bench ingest`).
 */
export class Http2Call implements AgentCall {
  readonly address: string;
  readonly #stream: ServerHttp2Stream;
  readonly #options: Http2CallOptions;
  readonly #frames: MessageFrames;
  readonly #encoding: string;
  #listener: CallListener | undefined;
  /** A message is being decompressed: what came after it waits, with the stream stopped. */
  #isDecompressing = false;
  #isHalfClosed = false;
  /** A status has been sent, or the stream is gone. */
  #isOver = false;
  #deadline: NodeJS.Timeout | undefined;
  #linger: NodeJS.Timeout | undefined;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, options: Http2CallOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#frames = new MessageFrames(options.maxMessageBytes);
    this.#encoding = single(headers['grpc-encoding']) ?? 'identity';
    const { remoteAddress = 'unknown', remotePort } = stream.session?.socket ?? {};
    this.address = remotePort === undefined ? remoteAddress : `${remoteAddress}:${remotePort}`;
    // `close` always follows.
    stream.on('error', () => {});
    stream.once('close', () => this.#closed());
    this.#watchDeadline(single(headers['grpc-timeout']));
  }

  listen(listener: CallListener): void {
    if (this.#isOver) {
      listener.closed();
      return;
    }
    this.#listener = listener;
    this.#stream.on('data', (chunk: Buffer) => {
      if (this.#isOver) return;
      this.#frames.push(chunk);
      this.#deliver();
    });
    this.#stream.on('end', () => {
      this.#isHalfClosed = true;
      // HTTP/2 streams end while they are stopped, too.
      if (!this.#isDecompressing && !this.#isOver) listener.halfClosed();
    });
  }

  write(bytes: Buffer, onTaken: () => void): void {
    const stream = this.#stream;
    if (this.#isOver || stream.destroyed || stream.closed) return;
    if (!stream.headersSent) stream.respond({ ...responseHeaders }, { waitForTrailers: true });
    stream.write(frameOf(bytes), onTaken);
  }

  end(code: status, details: string): void {
    const stream = this.#stream;
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#deadline);
    if (stream.destroyed || stream.closed) return;
    this.#linger = setTimeout(() => this.reset(), this.#options.lingerMs).unref();
    // grpc-js gives this text with the status OK, and clients show it.
    const message = code === status.OK ? 'OK' : details;
    const trailers = { 'grpc-status': code, 'grpc-message': encodeURI(message.toWellFormed()) };
    if (stream.headersSent) {
      stream.once('wantTrailers', () => stream.sendTrailers(trailers));
      stream.end();
    } else {
      stream.respond({ ...responseHeaders, ...trailers }, { endStream: true });
    }
    // What still comes is passed over.
    stream.resume();
  }

  reset(): void {
    if (!this.#stream.closed) this.#stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  /** Gives the listener all messages that are there, until one has to be decompressed. */
  #deliver(): void {
    for (;;) {
      let bytes: Buffer | undefined;
      try {
        bytes = this.#frames.next();
      } catch (error) {
        this.#fail(status.RESOURCE_EXHAUSTED, (error as Error).message);
        return;
      }
      if (bytes === undefined) return;
      if (this.#frames.isCompressed && this.#encoding !== 'identity') {
        void this.#decompress(bytes);
        return;
      }
      this.#listener!.message(bytes);
      if (this.#isOver) return;
    }
  }

  async #decompress(bytes: Buffer): Promise<void> {
    this.#isDecompressing = true;
    this.#stream.pause();
    let message: Buffer;
    try {
      message = await decompressMessage(bytes, this.#encoding, this.#options.maxMessageBytes);
    } catch (thrown) {
      const { code, message: details } = thrown as DecompressionError;
      this.#fail(code, details);
      return;
    }
    this.#isDecompressing = false;
    if (this.#isOver) return;
    this.#listener!.message(message);
    if (this.#isOver) return;
    this.#deliver();
    if (this.#isOver || this.#isDecompressing) return;
    if (this.#isHalfClosed) this.#listener!.halfClosed();
    else this.#stream.resume();
  }

  #watchDeadline(header: string | undefined): void {
    const ms = timeoutMs(header);
    if (ms === undefined) {
      this.end(status.INTERNAL, `Invalid grpc-timeout value "${header}"`);
    } else if (ms < Number.POSITIVE_INFINITY) {
      this.#deadline = setTimeout(() => this.#fail(status.DEADLINE_EXCEEDED, 'Deadline exceeded'), ms);
      this.#deadline.unref();
    }
  }

  /** Ends the call for a reason that its listener does not know. */
  #fail(code: status, details: string): void {
    if (this.#isOver) return;
    this.end(code, details);
    this.#listener?.closed();
  }

  #closed(): void {
    this.#isOver = true;
    clearTimeout(this.#deadline);
    clearTimeout(this.#linger);
    this.#listener?.closed();
  }
}

/** A header that comes once; the first one of those that came more often. */
function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
