import {
  Client,
  type ClientDuplexStream,
  compressionAlgorithms,
  type ServiceError,
  type StatusObject,
  status,
} from '@grpc/grpc-js';
import { isLoopback } from '../../otel/config/addresses.ts';
import type { ChannelTls } from '../../otel/stream/channel-tls.ts';
import type { CallEvents, StreamCall } from '../../otel/stream/stream-call.ts';
import { connectPath, sameBytes } from '../../proto/service.ts';
import { channelSecurity } from './channel-security.ts';

/** Where a collector listens. */
export interface Channel {
  /** `host:port`, or another name that gRPC resolves. */
  readonly target: string;
  /** `undefined`: no TLS. */
  readonly tls?: ChannelTls | undefined;
  /** A file whose first token every stream presents. */
  readonly tokenFile?: string | undefined;
  /** gRPC's keepalive: how often a ping is sent, and how long its answer may take. Default 120,000 and 10,000. */
  readonly keepaliveTimeMs?: number | undefined;
  readonly keepaliveTimeoutMs?: number | undefined;
}

/** Acks tell sooner whether the collector is there, as long as there is something to report; pings are for the rest. */
const keepaliveTimeMs = 120_000;
export const keepaliveTimeoutMs = 10_000;

/** What a collector sends is small: a message above this is none of ours. */
const maxReceiveBytes = 4 * 1024 * 1024;

/** Below this gzip makes a message longer. */
const compressFromBytes = 200;

/** grpc-js takes a message's write flags as its encoding (ClientDuplexStreamImpl); 2 is WriteFlags.NoCompress, which it does not export. */
const uncompressed = '2' as BufferEncoding;

/** The host of `HOST:PORT`; an IPv6 address keeps its brackets. */
const hostOf = (target: string): string => target.replace(/:\d+$/, '');

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * One call of TelemetryStream/Connect on a channel of its own: bytes in, bytes out. The channel lives as long as the call, so that
 * when to connect again is decided in one place, the uplink's back-off, and a name is resolved anew for every attempt.
 *
 * Nothing queues here beyond the messages of one report. gRPC's retry buffer would hide the transport's back pressure until a
 * mebibyte had gathered in it, so it is off; what has not been sent when a call ends is sent anew, as state, on the next one.
 */
export class TelemetryCall implements StreamCall {
  readonly #client: Client;
  readonly #call: ClientDuplexStream<Uint8Array, Buffer>;
  readonly #events: CallEvents;
  #end: { code: number; details: string } | undefined;
  #ended = false;
  #waiting = 0;

  /** @throws StreamgaugeError `config` when a file of certificates or tokens cannot be used */
  constructor(channel: Channel, events: CallEvents) {
    this.#events = events;
    const { credentials, metadata } = channelSecurity(channel.tls, channel.tokenFile);
    const serverName = channel.tls?.serverName;
    this.#client = new Client(channel.target, credentials, {
      ...(serverName !== undefined && { 'grpc.ssl_target_name_override': serverName }),
      'grpc.default_compression_algorithm': compressionAlgorithms.gzip,
      'grpc.max_receive_message_length': maxReceiveBytes,
      'grpc.max_send_message_length': -1,
      'grpc.keepalive_time_ms': channel.keepaliveTimeMs ?? keepaliveTimeMs,
      'grpc.keepalive_timeout_ms': channel.keepaliveTimeoutMs ?? keepaliveTimeoutMs,
      'grpc.enable_retries': 0,
      'grpc.per_rpc_retry_buffer_size': 0,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.service_config_disable_resolution': 1,
      // A proxy of the environment is for other machines.
      'grpc.enable_http_proxy': isLoopback(hostOf(channel.target)) ? 0 : 1,
    });
    this.#call = this.#client.makeBidiStreamRequest<Uint8Array, Buffer>(
      connectPath,
      asBuffer,
      sameBytes,
      metadata,
    );
    this.#call.on('data', (bytes: Buffer) => {
      if (!this.#ended) this.#events.onMessage(bytes);
    });
    // Every failure comes as a status too, which is where it is handled.
    this.#call.on('error', (error: Partial<ServiceError>) => {
      this.#end ??= { code: error.code ?? status.UNKNOWN, details: error.details ?? error.message ?? '' };
    });
    this.#call.on('status', ({ code, details }: StatusObject) => {
      this.#end = { code, details };
      if (this.#call.readableEnded) this.#finish();
    });
    // Messages that came before the status may still be read after it.
    this.#call.on('end', () => {
      if (this.#end !== undefined) this.#finish();
    });
  }

  get waiting(): number {
    return this.#waiting;
  }

  get writable(): boolean {
    return this.#waiting === 0 && this.#end === undefined && !this.#call.writableEnded;
  }

  get peer(): string {
    return this.#call.getPeer();
  }

  writeControl(bytes: Uint8Array): void {
    this.#write(bytes, bytes.length < compressFromBytes ? uncompressed : undefined);
  }

  writeReport(bytes: Uint8Array): void {
    this.#write(bytes, uncompressed);
  }

  halfClose(): void {
    if (this.#end === undefined && !this.#call.writableEnded) this.#call.end();
  }

  cancel(): void {
    this.#call.cancel();
  }

  #write(bytes: Uint8Array, encoding: BufferEncoding | undefined): void {
    if (this.#end !== undefined || this.#call.writableEnded) return;
    this.#waiting++;
    this.#call.write(bytes, encoding, this.#taken);
  }

  readonly #taken = (): void => {
    if (--this.#waiting === 0 && this.#end === undefined) this.#events.onWritable();
  };

  #finish(): void {
    if (this.#ended || this.#end === undefined) return;
    this.#ended = true;
    this.#client.close();
    this.#events.onEnd(this.#end.code, this.#end.details);
  }
}
