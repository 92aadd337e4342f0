import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { GrpcPortLimits } from '../config/limits-config.ts';
import type { AddressBook } from '../security/address-book.ts';
import type { LimitCause } from '../security/exceeded.ts';

/** HTTP/2 counts so much for each header field, beside its name and value (RFC 9113, 6.5.2). */
const fieldOverheadBytes = 32;

/** Why a stream is refused, as a sentence for its sender and for the log. */
export interface StreamProblem {
  readonly cause: LimitCause;
  readonly reason: string;
}

/** Counts the streams of each client address, those of agents and all other calls. */
export class StreamLimits {
  readonly #limits: Pick<
    GrpcPortLimits,
    'maxStreamsPerAddress' | 'maxStreamRatePerAddress' | 'maxHeaderBytes'
  >;
  readonly #addresses: AddressBook;
  readonly #nowMs: () => number;

  constructor(
    limits: Pick<GrpcPortLimits, 'maxStreamsPerAddress' | 'maxStreamRatePerAddress' | 'maxHeaderBytes'>,
    addresses: AddressBook,
    nowMs: () => number = () => performance.now(),
  ) {
    this.#limits = limits;
    this.#addresses = addresses;
    this.#nowMs = nowMs;
  }

  /** Gives why a stream is refused; one that is not counts until it is closed. @param cost of it where rates are counted */
  problem(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, cost = 1): StreamProblem | undefined {
    const nowMs = this.#nowMs();
    const { maxStreamsPerAddress, maxStreamRatePerAddress, maxHeaderBytes } = this.#limits;
    const use = this.#addresses.use(stream.session?.socket?.remoteAddress, nowMs);
    if (use.streams >= maxStreamsPerAddress)
      return {
        cause: 'streams_per_address',
        reason: `this address has ${maxStreamsPerAddress} streams; no more are allowed (grpc.limits.max_streams_per_address)`,
      };
    if (!use.newStreams.take(nowMs, cost))
      return {
        cause: 'stream_rate_per_address',
        reason: `this address opens more than ${maxStreamRatePerAddress} streams a second (grpc.limits.max_stream_rate_per_address)`,
      };
    const headerBytes = listBytes(headers);
    if (headerBytes > maxHeaderBytes)
      return {
        cause: 'headers',
        reason: `the header fields have ${headerBytes} bytes; at most ${maxHeaderBytes} are allowed (grpc.limits.max_header_bytes)`,
      };
    use.streams++;
    stream.once('close', () => use.streams--);
    return undefined;
  }
}

function listBytes(headers: IncomingHttpHeaders): number {
  let bytes = 0;
  for (const name in headers) {
    const value = headers[name];
    if (Array.isArray(value))
      for (const each of value) bytes += fieldOverheadBytes + name.length + each.length;
    else bytes += fieldOverheadBytes + name.length + (value?.length ?? 0);
  }
  return bytes;
}
