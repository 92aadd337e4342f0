import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { status } from '@grpc/grpc-js';
import { rateWindowSeconds } from '../config/limits-config.ts';
import { type PortExceeded, uncounted } from '../security/exceeded.ts';
import { TokenBucket } from '../security/token-bucket.ts';
import type { AgentCall, CallListener } from './agent-call.ts';
import { type Backlog, noBacklog } from './backlog.ts';
import type { BufferShare } from './buffer-budget.ts';
import { timeoutMs } from './call-deadline.ts';
import {
  acceptedEncodings,
  type DecompressionError,
  decompressMessage,
  isKnownEncoding,
} from './decompress-message.ts';
import { frameOf, MessageFrames } from './message-frames.ts';
import type { MessageRooms } from './message-rooms.ts';
import type { StreamProblem } from './stream-limits.ts';

/** A stream that sends too often is stopped for at least this long, so that it is not stopped at each message. */
const leastStopMs = 100;
/** How often it is looked at what gathers behind a stream that is stopped. */
const lookAgainMs = 100;

export interface Http2CallOptions {
  /** One message, as it comes and uncompressed. */
  readonly maxMessageBytes: number;
  /** A peer that has not let go of a call that we ended is cut off after this. */
  readonly lingerMs: number;
  /** Where messages are gathered: see {@link Http2Call.release}. Default: each in a buffer of its own. */
  readonly rooms?: MessageRooms;
  /** Messages a second, over ten seconds. A peer that sends more is read more slowly. Default: as many as it likes. */
  readonly maxReportRate?: number;
  /** While it is congested, nothing more is read. Default: it never is. */
  readonly backlog?: Backlog | undefined;
  /** Counts what waits in memory. Default: nobody does. */
  readonly share?: BufferShare;
  /** Runs a decompression when its turn has come. Default: at once. */
  readonly decompress?: (job: () => Promise<Buffer>) => Promise<Buffer>;
  /** Told of what went over a limit. */
  readonly exceeded?: PortExceeded;
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
 * around it. What a report costs on its way in is measured by `npm run bench ingest`.
 */
export class Http2Call implements AgentCall {
  readonly address: string;
  readonly #stream: ServerHttp2Stream;
  readonly #options: Http2CallOptions;
  readonly #frames: MessageFrames;
  readonly #encoding: string;
  #listener: CallListener | undefined;
  readonly #rate: TokenBucket | undefined;
  /** A message is being decompressed, or too many came: what comes after it waits, with the stream stopped. */
  #isStopped = false;
  #goOnTimer: NodeJS.Timeout | undefined;
  #holdTimer: NodeJS.Timeout | undefined;
  /** Of the message that is decompressed. */
  #packedBytes = 0;
  /** Of messages that were written and not taken by the transport. */
  #unreadBytes = 0;
  #isHalfClosed = false;
  /** A status has been sent, or the stream is gone. */
  #isOver = false;
  #deadline: NodeJS.Timeout | undefined;
  #linger: NodeJS.Timeout | undefined;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, options: Http2CallOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#frames = new MessageFrames(options.maxMessageBytes, options.rooms);
    const { maxReportRate: rate } = options;
    if (rate !== undefined) this.#rate = new TokenBucket(rate, rate * rateWindowSeconds, performance.now());
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
      this.#hold();
    });
    this.#stream.on('end', () => {
      this.#isHalfClosed = true;
      // HTTP/2 streams end while they are stopped, too.
      if (!this.#isStopped && !this.#isOver) listener.halfClosed();
    });
  }

  write(bytes: Buffer, onTaken: () => void): void {
    const stream = this.#stream;
    if (this.#isOver || stream.destroyed || stream.closed) return;
    if (!stream.headersSent) stream.respond({ ...responseHeaders }, { waitForTrailers: true });
    const frame = frameOf(bytes);
    this.#unreadBytes += frame.length;
    stream.write(frame, () => {
      this.#unreadBytes -= frame.length;
      onTaken();
    });
    this.#hold();
  }

  /** @param metadata trailers beside the status */
  end(code: status, details: string, metadata: Readonly<Record<string, string>> = {}): void {
    const stream = this.#stream;
    if (this.#isOver) return;
    this.#isOver = true;
    this.#letGo();
    if (stream.destroyed || stream.closed) return;
    this.#linger = setTimeout(() => this.reset(), this.#options.lingerMs).unref();
    // grpc-js gives this text with the status OK, and clients show it.
    const message = code === status.OK ? 'OK' : details;
    const trailers = {
      ...metadata,
      'grpc-status': code,
      'grpc-message': encodeURI(message.toWellFormed()),
    };
    if (stream.headersSent) {
      stream.once('wantTrailers', () => stream.sendTrailers(trailers));
      stream.end();
    } else {
      stream.respond({ ...responseHeaders, ...trailers }, { endStream: true });
    }
    // What still comes is passed over.
    stream.resume();
  }

  /** The listener does not use the last message any more. Where there are rooms, a message is its own until then. */
  release(): void {
    this.#frames.release();
  }

  reset(): void {
    if (!this.#stream.closed) this.#stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  /** Gives the listener all messages that are there, until one has to be decompressed or there are too many. */
  #deliver(): void {
    for (;;) {
      let bytes: Buffer | undefined;
      try {
        bytes = this.#frames.next();
      } catch (error) {
        this.#failOver({ cause: 'message', reason: (error as Error).message });
        return;
      }
      if (bytes === undefined) return;
      if (this.#frames.isCompressed && this.#encoding !== 'identity') {
        void this.#decompress(bytes);
        return;
      }
      this.#listener!.message(bytes);
      if (this.#isOver || this.#mustWait()) return;
    }
  }

  async #decompress(bytes: Buffer): Promise<void> {
    const { maxMessageBytes, decompress = (job) => job() } = this.#options;
    this.#stop();
    this.#packedBytes = bytes.length;
    let message: Buffer;
    try {
      // What cannot be unpacked waits for no turn.
      const run = isKnownEncoding(this.#encoding) ? decompress : (job: () => Promise<Buffer>) => job();
      message = await run(() => {
        // Nobody waits for it any more.
        if (this.#isOver) return Promise.resolve(bytes);
        return decompressMessage(bytes, this.#encoding, maxMessageBytes);
      });
    } catch (thrown) {
      const { code, message: details } = thrown as DecompressionError;
      if (code === status.RESOURCE_EXHAUSTED) this.#failOver({ cause: 'message', reason: details });
      else this.#fail(code, details);
      return;
    }
    this.#packedBytes = 0;
    this.#frames.release();
    if (this.#isOver) return;
    this.#listener!.message(message);
    if (!this.#isOver && !this.#mustWait()) this.#goOn();
  }

  /** Counts a message, and stops reading where there were too many, or what came is not kept as fast as it comes. */
  #mustWait(): boolean {
    return this.#isTooFast() || this.#isAhead();
  }

  #isAhead(): boolean {
    const { backlog = noBacklog } = this.#options;
    if (!backlog.isCongested) return false;
    this.#stop();
    void backlog.drained().then(() => this.#goOn());
    return true;
  }

  #isTooFast(): boolean {
    const rate = this.#rate;
    if (rate === undefined) return false;
    const nowMs = performance.now();
    if (rate.take(nowMs)) return false;
    this.#stop();
    const { maxReportRate, exceeded = uncounted } = this.#options;
    const reason = `more than ${maxReportRate} messages a second: the stream is read more slowly (grpc.limits.max_report_rate)`;
    exceeded.exceeded('report_rate', this.address, reason);
    const waitMs = Math.max(leastStopMs, rate.waitMs(nowMs));
    this.#goOnTimer = setTimeout(() => {
      if (!this.#isAhead()) this.#goOn();
    }, waitMs).unref();
    return true;
  }

  #stop(): void {
    this.#stream.pause();
    if (this.#isStopped) return;
    this.#isStopped = true;
    // What the peer's window takes still comes, without a word.
    if (this.#options.share !== undefined)
      this.#holdTimer = setInterval(() => this.#hold(), lookAgainMs).unref();
  }

  /** Reads again what was stopped. */
  #goOn(): void {
    if (this.#isOver) return;
    this.#isStopped = false;
    clearInterval(this.#holdTimer);
    this.#deliver();
    if (this.#isOver || this.#isStopped) return;
    if (this.#isHalfClosed) this.#listener!.halfClosed();
    else this.#stream.resume();
    this.#hold();
  }

  /** Counts what waits. */
  #hold(): void {
    const { share } = this.#options;
    if (share === undefined || this.#isOver) return;
    const unread = this.#isStopped ? this.#stream.readableLength : 0;
    const bytes = this.#frames.heldBytes + this.#packedBytes + unread + this.#unreadBytes;
    const problem = share.hold(bytes);
    if (problem === undefined) return;
    const isUnread = this.#unreadBytes > 0;
    this.#failOver(problem);
    // A status would wait behind what is not read.
    if (isUnread) this.reset();
  }

  /** What waits is of no use any more, but for what the peer has not taken yet. */
  #letGo(): void {
    clearTimeout(this.#deadline);
    clearTimeout(this.#goOnTimer);
    clearInterval(this.#holdTimer);
    this.#frames.clear();
    this.#options.share?.hold(this.#unreadBytes);
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

  /** Ends the call, which went over a limit. */
  #failOver({ cause, reason }: StreamProblem): void {
    if (this.#isOver) return;
    const { exceeded = uncounted } = this.#options;
    exceeded.exceeded(cause, this.address, reason);
    this.#fail(status.RESOURCE_EXHAUSTED, reason);
  }

  #closed(): void {
    this.#isOver = true;
    this.#letGo();
    this.#options.share?.hold(0);
    clearTimeout(this.#linger);
    this.#listener?.closed();
  }
}

/** A header that comes once; the first one of those that came more often. */
function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
