import type { OtlpExportRequest } from './export-request.ts';
import { type Fault, type FaultPlan, isTaken } from './fault-plan.ts';
import { type ReceivedPoint, receivedPoints } from './received-points.ts';

/** One request that reached a sink. */
export interface Attempt {
  readonly request: OtlpExportRequest;
  /** Protobuf or JSON after decompression, as it was sent. */
  readonly bytes: Buffer;
  /** gRPC metadata or HTTP headers. */
  readonly headers: Readonly<Record<string, string>>;
  readonly fault: Fault;
}

export interface SinkOptions {
  /** Default: takes everything. */
  readonly plan?: FaultPlan | undefined;
  /** Default 0: a free one. */
  readonly port?: number | undefined;
  /** Told of each request before it is answered; what is told is not kept in {@link OtlpSink.attempts}. */
  readonly onAttempt?: ((attempt: Attempt) => void) | undefined;
}

/** What listens; made anew at each start. */
export interface Listener {
  readonly port: number;
  /** Bytes of TCP payload that came in so far. */
  bytesIn(): number;
  /** Ends every connection. */
  close(): Promise<void>;
}

/** Makes a listener on 127.0.0.1 that hands over each request and is told what to do with it. */
export type Listen = (
  port: number,
  receive: (request: OtlpExportRequest, bytes: Buffer, headers: Record<string, string>) => Fault,
) => Promise<Listener>;

/**
 * An OTLP backend for tests, on 127.0.0.1: records decoded requests, fails on schedule, can be stopped and started again on
 * its port. Made by `startGrpcSink` and `startHttpSink`.
 */
export class OtlpSink {
  /** Decides on requests from now on; the numbers go on. */
  plan: FaultPlan;
  /** All requests, in order of arrival, refused ones too. */
  readonly attempts: Attempt[] = [];
  readonly #listen: Listen;
  #listener: Listener | undefined;
  #port: number;
  readonly #waiting = new Set<() => void>();
  readonly #onAttempt: SinkOptions['onAttempt'];
  #count = 0;

  constructor(listen: Listen, options: SinkOptions = {}) {
    this.#listen = listen;
    this.#onAttempt = options.onAttempt;
    this.#port = options.port ?? 0;
    this.plan = options.plan ?? (() => 'ok');
  }

  get port(): number {
    return this.#port;
  }

  /** `http://127.0.0.1:PORT`, for gRPC too. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Bytes of TCP payload that came in since the last start, headers and all. */
  get bytesIn(): number {
    return this.#listener?.bytesIn() ?? 0;
  }

  /** The requests that were taken. */
  get requests(): OtlpExportRequest[] {
    return this.attempts.filter(({ fault }) => isTaken(fault)).map(({ request }) => request);
  }

  /** The points of the requests that were taken. */
  get points(): ReceivedPoint[] {
    return receivedPoints(this.requests);
  }

  /** Listens, after a stop on the same port. */
  async start(): Promise<this> {
    this.#listener = await this.#listen(this.#port, (request, bytes, headers) => {
      const fault = this.plan(this.#count++);
      const attempt = { request, bytes, headers, fault };
      if (this.#onAttempt === undefined) this.attempts.push(attempt);
      else this.#onAttempt(attempt);
      for (const check of this.#waiting) check();
      return fault;
    });
    this.#port = this.#listener.port;
    return this;
  }

  /** Ends every connection and listens no more. Safe when repeated. */
  async stop(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    await listener?.close();
  }

  /** Resolves when the condition holds, which is looked at with each request. @throws when it does not in time */
  async waitFor(condition: (sink: this) => boolean, what: string, timeoutMs = 30_000): Promise<void> {
    if (condition(this)) return;
    await new Promise<void>((resolve, reject) => {
      const end = (): void => {
        this.#waiting.delete(check);
        clearTimeout(timer);
      };
      const check = (): void => {
        if (!condition(this)) return;
        end();
        resolve();
      };
      const timer = setTimeout(() => {
        end();
        reject(new Error(`after ${timeoutMs} ms and ${this.attempts.length} requests still not: ${what}`));
      }, timeoutMs);
      this.#waiting.add(check);
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
