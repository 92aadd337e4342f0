import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2';
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { connectPath } from '../../proto/service.ts';
import { grpcStatus } from '../stream/grpc-status.ts';
import type { CallEvents, StreamCall } from '../stream/stream-call.ts';
import { GrpcFrames } from './grpc-frames.ts';
import type { ServiceChannel } from './service-channel.ts';

/** Below this gzip makes a message longer. */
const compressFromBytes = 200;
/** Bytes of a gRPC message before its content: whether it is compressed, and its length. */
const prefixBytes = 5;

/**
 * One call of TelemetryStream/Connect on an HTTP/2 connection of its own, straight on Node's http2: a gRPC client would hold the process
 * that it measures alive for as long as the stream is open, and cost it some 15 MB. Nothing queues here beyond the messages of one report.
 */
export class ServiceCall implements StreamCall {
  waiting = 0;
  readonly #socket: Socket;
  readonly #session: ClientHttp2Session;
  readonly #stream: ClientHttp2Stream;
  readonly #events: CallEvents;
  readonly #frames = new GrpcFrames();
  /** As the collector told it. */
  #status: { code: number; details: string } | undefined;
  /** Why it has ended, or is about to. */
  #end: { code: number; details: string } | undefined;
  #isHalfClosed = false;
  #hasEnded = false;

  /** @throws StreamgaugeError `config` when a file of certificates or tokens cannot be used */
  constructor(channel: ServiceChannel, userAgent: string, events: CallEvents) {
    this.#events = events;
    const headers = channel.headers();
    const scheme = channel.isTls ? 'https' : 'http';
    this.#socket = channel.connect();
    this.#session = connect(`${scheme}://${channel.authority}`, {
      createConnection: () => this.#socket,
      settings: { enablePush: false },
    });
    this.#session.unref();
    this.#session.on('error', (error) => this.#fail(grpcStatus.UNAVAILABLE, textOf(error)));
    this.#stream = this.#session.request(
      {
        ...headers,
        ':method': 'POST',
        ':path': connectPath,
        'content-type': 'application/grpc',
        te: 'trailers',
        'user-agent': userAgent,
        'grpc-encoding': 'gzip',
        'grpc-accept-encoding': 'identity',
      },
      { endStream: false },
    );
    this.#stream.on('response', (answer) => this.#answered(answer));
    this.#stream.on('trailers', (trailers) => this.#told(trailers));
    this.#stream.on('data', (bytes: Buffer) => this.#received(bytes));
    this.#stream.on('error', (error) => this.#fail(grpcStatus.UNAVAILABLE, textOf(error)));
    this.#stream.on('end', () => this.#ended());
    this.#stream.on('close', () => {
      this.#end ??= this.#status ?? {
        code: grpcStatus.UNAVAILABLE,
        details: closedBecause(this.#stream.rstCode),
      };
      this.#finish();
    });
  }

  get writable(): boolean {
    return this.waiting === 0 && this.#end === undefined && this.#status === undefined && !this.#isHalfClosed;
  }

  get peer(): string {
    const { remoteAddress, remotePort } = this.#socket;
    return remoteAddress === undefined ? '' : `${remoteAddress}:${remotePort}`;
  }

  writeControl(bytes: Uint8Array): void {
    if (bytes.length < compressFromBytes) this.#write(bytes, 0);
    else this.#write(gzipSync(bytes), 1);
  }

  writeReport(bytes: Uint8Array): void {
    this.#write(bytes, 0);
  }

  halfClose(): void {
    if (this.#end !== undefined || this.#isHalfClosed) return;
    this.#isHalfClosed = true;
    this.#stream.end();
  }

  cancel(): void {
    this.#fail(grpcStatus.CANCELLED, 'the call was cancelled');
  }

  #write(bytes: Uint8Array, flag: 0 | 1): void {
    if (this.#end !== undefined || this.#isHalfClosed) return;
    const message = Buffer.allocUnsafe(prefixBytes + bytes.length);
    message[0] = flag;
    message.writeUInt32BE(bytes.length, 1);
    message.set(bytes, prefixBytes);
    this.waiting++;
    this.#stream.write(message, this.#taken);
  }

  readonly #taken = (): void => {
    if (--this.waiting === 0 && this.#end === undefined) this.#events.onWritable();
  };

  #answered(headers: IncomingHttpHeaders & { ':status'?: number | undefined }): void {
    const status = headers[':status'] ?? 0;
    if (headers['grpc-status'] !== undefined) this.#told(headers);
    else if (status !== 200)
      this.#fail(httpCodes[status] ?? grpcStatus.UNKNOWN, `the answer is HTTP ${status}, not gRPC's`);
  }

  /** The status came. Messages that came before it may still be read after it. */
  #told(headers: IncomingHttpHeaders): void {
    const code = Number(headers['grpc-status'] ?? grpcStatus.UNKNOWN);
    this.#status ??= { code, details: decoded(String(headers['grpc-message'] ?? '')) };
    if (this.#stream.readableEnded) this.#ended();
  }

  #ended(): void {
    this.#end ??= this.#status;
    if (this.#end !== undefined) this.#finish();
  }

  #received(bytes: Buffer): void {
    if (this.#end !== undefined) return;
    const fault = this.#frames.push(bytes, (message) => {
      if (this.#end === undefined) this.#events.onMessage(message);
    });
    if (fault !== undefined) this.#fail(grpcStatus.INTERNAL, fault);
  }

  #fail(code: number, details: string): void {
    if (this.#end !== undefined) return;
    this.#end = { code, details };
    // Events never come out of a call to this object.
    process.nextTick(() => this.#finish());
    this.#stream.close(constants.NGHTTP2_CANCEL);
    this.#session.destroy();
    this.#socket.destroy();
  }

  #finish(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#session.destroy();
    this.#socket.destroy();
    this.#events.onEnd(this.#end!.code, this.#end!.details);
  }
}

/** What a status of HTTP stands for where no status of gRPC came. https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md */
const httpCodes: Readonly<Record<number, number>> = {
  400: grpcStatus.INTERNAL,
  401: grpcStatus.UNAUTHENTICATED,
  403: grpcStatus.PERMISSION_DENIED,
  404: grpcStatus.UNIMPLEMENTED,
  429: grpcStatus.UNAVAILABLE,
  502: grpcStatus.UNAVAILABLE,
  503: grpcStatus.UNAVAILABLE,
  504: grpcStatus.UNAVAILABLE,
};

function closedBecause(code: number | undefined): string {
  return code === undefined || code === constants.NGHTTP2_NO_ERROR
    ? 'the connection was closed'
    : `the stream was reset with HTTP/2 code ${code}`;
}

/** Node gives several failed attempts to connect as one error without a message of its own. */
function textOf(error: Error): string {
  const { errors } = error as Partial<AggregateError>;
  return errors === undefined ? error.message : errors.map(({ message }: Error) => message).join('; ');
}

function decoded(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}
