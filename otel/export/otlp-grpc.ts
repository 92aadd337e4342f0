import {
  type ChannelCredentials,
  Client,
  type ClientOptions,
  connectivityState,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { readPartialSuccess, readStatusDetails, type StatusDetails } from '../otlp/export-answer.ts';
import { grpcEndpoint } from './endpoint.ts';
import { plainDetails } from './grpc-details.ts';
import { delegateSender, type OtlpTransport } from './otlp-transport.ts';
import { redactor } from './redact.ts';
import { type RequestSender, SendError, type SendResult } from './request-sender.ts';

export interface OtlpSenderOptions {
  /** See {@link grpcEndpoint} and {@link httpEndpoint} for what is accepted. */
  readonly endpoint: string;
  /** Sent with every request; their values are secrets and appear nowhere. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Default `none`. */
  readonly compression?: 'gzip' | 'none' | undefined;
  /** How long one try may take. Default 10,000. */
  readonly timeoutMs?: number | undefined;
  /** gRPC endpoints without a scheme: do without TLS. */
  readonly insecure?: boolean | undefined;
  /** PEM. Default: the system's roots, and no certificate of our own. */
  readonly tls?: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer } | undefined;
  /** Name and version of the program, such as `streamgauge/0.1.0`. */
  readonly userAgent?: string | undefined;
}

export const defaultTimeoutMs = 10_000;

const exportPath = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export';
/** grpc-js waits up to two minutes before it connects again, which is long after a backend is back. */
const longestReconnectMs = 10_000;
const largestAnswerBytes = 1024 * 1024;
/** So many tries in a row without an answer, and the connection is taken for dead, although TCP does not say so yet. */
const silentTries = 2;
/** A connection that is still being made has this long, gRPC's own minimum, since each new one begins from the start. */
const connectTimeoutMs = 20_000;

/** Statuses after which the OTLP specification allows the same request again; RESOURCE_EXHAUSTED only with a RetryInfo. */
const retryableStatuses: ReadonlySet<number> = new Set([
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
  status.ABORTED,
  status.OUT_OF_RANGE,
  status.UNAVAILABLE,
  status.DATA_LOSS,
]);

/**
 * Sends over OTLP/gRPC.
 * @throws EndpointError, or RangeError for a header that HTTP/2 does not allow
 */
export function otlpGrpcSender(options: OtlpSenderOptions): RequestSender {
  const { shown } = grpcEndpoint(options.endpoint, options.insecure);
  return delegateSender(new GrpcTransport(options), options.timeoutMs ?? defaultTimeoutMs, shown);
}

class GrpcTransport implements OtlpTransport {
  readonly #target: string;
  readonly #shown: string;
  readonly #credentials: ChannelCredentials;
  readonly #clientOptions: ClientOptions;
  readonly #metadata: Metadata;
  readonly #redact: (text: string) => string;
  #client: Client | undefined;
  #silentTries = 0;
  /** When the first of the silent tries began. */
  #silentFromMs = 0;

  constructor(options: OtlpSenderOptions) {
    const { target, tls, shown } = grpcEndpoint(options.endpoint, options.insecure);
    this.#target = target;
    this.#shown = shown;
    const { ca, cert, key } = options.tls ?? {};
    this.#credentials = tls ? credentials.createSsl(ca, key, cert) : credentials.createInsecure();
    this.#metadata = metadataOf(options.headers ?? {});
    this.#redact = redactor(options.headers ?? {});
    this.#clientOptions = {
      'grpc.default_compression_algorithm': options.compression === 'gzip' ? 2 : 0,
      'grpc.primary_user_agent': options.userAgent ?? 'streamgauge',
      'grpc.max_reconnect_backoff_ms': longestReconnectMs,
      'grpc.max_receive_message_length': largestAnswerBytes,
      // Retries are the reader's, which knows what is newer; the pool is our own, so that a new client is a new connection.
      'grpc.enable_retries': 0,
      'grpc.use_local_subchannel_pool': 1,
    };
  }

  send(bytes: Uint8Array, timeoutMs: number, signal: AbortSignal): Promise<SendResult> {
    this.#client ??= new Client(this.#target, this.#credentials, this.#clientOptions);
    const client = this.#client;
    const message = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const fromMs = performance.now();
    return new Promise((resolve) => {
      const call = client.makeUnaryRequest(
        exportPath,
        (request: Buffer) => request,
        (answer: Buffer) => answer,
        message,
        this.#metadata,
        { deadline: Date.now() + timeoutMs },
        (error, answer) => {
          signal.removeEventListener('abort', cancel);
          this.#noteSilence(client, fromMs, error);
          resolve(error === null ? successOf(answer, this.#redact) : this.#failureOf(error));
        },
      );
      const cancel = (): void => call.cancel();
      if (signal.aborted) cancel();
      else signal.addEventListener('abort', cancel);
    });
  }

  close(): void {
    this.#client?.close();
    this.#client = undefined;
  }

  #noteSilence(client: Client, fromMs: number, error: ServiceError | null): void {
    // A try over a connection that has been replaced says nothing of its successor.
    if (this.#client !== client) return;
    if (error?.code !== status.DEADLINE_EXCEEDED) {
      this.#silentTries = 0;
      return;
    }
    if (this.#silentTries++ === 0) this.#silentFromMs = fromMs;
    if (this.#silentTries < silentTries) return;
    const isConnected = client.getChannel().getConnectivityState(false) === connectivityState.READY;
    if (!isConnected && performance.now() - this.#silentFromMs < connectTimeoutMs) return;
    this.#silentTries = 0;
    this.close();
  }

  #failureOf(error: ServiceError): SendResult {
    const details = statusDetailsOf(error);
    // gRPC takes numbers that it does not know for UNKNOWN.
    const code = status[error.code] ?? 'UNKNOWN';
    const text = this.#redact(plainDetails(error.details) || details?.message || 'no details');
    const failure = new SendError(`${this.#shown} answered ${code}: ${text}`, code);
    const delayMs = details?.retryDelayMs;
    const isThrottle = error.code === status.RESOURCE_EXHAUSTED && delayMs !== undefined;
    return isThrottle || retryableStatuses.has(error.code)
      ? { kind: 'retryable', error: failure, delayMs }
      : { kind: 'permanent', error: failure };
  }
}

/** What a 2xx or OK answer says. A request that was taken stays taken when its answer cannot be read. */
export function successOf(answer: Uint8Array | undefined, redact: (text: string) => string): SendResult {
  try {
    const partialSuccess = readPartialSuccess(answer ?? new Uint8Array(0));
    if (partialSuccess === undefined) return { kind: 'success' };
    return {
      kind: 'success',
      partialSuccess: { ...partialSuccess, message: redact(partialSuccess.message) },
    };
  } catch (error) {
    return {
      kind: 'success',
      warning: `the answer is no ExportMetricsServiceResponse: ${(error as Error).message}`,
    };
  }
}

function statusDetailsOf(error: ServiceError): StatusDetails | undefined {
  const [bytes] = error.metadata?.get('grpc-status-details-bin') ?? [];
  if (!(bytes instanceof Uint8Array)) return undefined;
  try {
    return readStatusDetails(bytes);
  } catch {
    // The status itself is known; details that cannot be read say nothing more.
    return undefined;
  }
}

function metadataOf(headers: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) {
    try {
      metadata.set(name, name.toLowerCase().endsWith('-bin') ? Buffer.from(value, 'base64') : value);
    } catch {
      // The library's own message holds the value.
      throw new RangeError(
        `header ${JSON.stringify(name)}: name or value has characters that HTTP/2 does not allow; use visible ASCII`,
      );
    }
  }
  return metadata;
}
