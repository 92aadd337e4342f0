import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { StreamgaugeError } from '../../proto/error.ts';
import type { Permission } from '../config/auth-config.ts';
import type { PortGuard } from '../security/port-guard.ts';
import type { ServerTls } from '../security/server-tls.ts';
import { denialAnswer, errorAnswer } from './error-answer.ts';
import { listenError } from './listen-error.ts';
import { readBody } from './read-body.ts';
import { type Guard, isLoopbackAddress, refuseForeignHost } from './request-guard.ts';
import { type Answer, type Route, textAnswer } from './route.ts';
import { RouteTable } from './route-table.ts';
import { sendAnswer } from './send-answer.ts';

/** What one client, or all of them, may take. */
const limits = {
  maxHeaderBytes: 8192,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 20_000,
  /** Longer than the usual scrape interval of a minute, so that scrapers keep their connection. */
  keepAliveTimeoutMs: 65_000,
  /** A connection on which nothing moves, as that of a client which stopped reading its answer. */
  idleTimeoutMs: 70_000,
  maxConnections: 256,
};

export interface HttpListenerOptions {
  /** For errors and logs: "HTTP", "admin", "reader prometheus". */
  readonly name: string;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** What to change when the address cannot be had: "--http-port or http.port". */
  readonly portSetting: string;
  readonly routes: readonly Route[];
  /** TLS of the port; without it there is none. */
  readonly tls?: ServerTls | undefined;
  /** Who may come in; without it everybody may. */
  readonly guard?: PortGuard | undefined;
  /** Checked before anything else, beyond the Host header, which is always checked on loopback. */
  readonly guards?: readonly Guard[];
  /** Told of handlers that failed and of answers that broke off through our fault; never of what a client did. */
  readonly onFailure: (error: StreamgaugeError, path: string) => void;
}

export interface HttpDrainReport {
  /** Requests that were answered in time, and those that were cut off. */
  readonly answered: number;
  readonly cutOff: number;
}

/** An HTTP server with a handful of routes. Everything it takes from outside has a limit. */
export class HttpListener {
  readonly #options: HttpListenerOptions;
  readonly #table: RouteTable;
  readonly #server: Server;
  #guards: readonly Guard[] = [];
  #state: 'new' | 'listening' | 'draining' | 'stopped' = 'new';
  #running = 0;
  #onIdle: (() => void) | undefined;

  constructor(options: HttpListenerOptions) {
    this.#options = options;
    this.#table = new RouteTable(options.routes);
    const serverOptions = {
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: 5000,
    };
    const serve = (request: IncomingMessage, response: ServerResponse) => void this.#serve(request, response);
    const { tls } = options;
    this.#server =
      tls === undefined
        ? createServer(serverOptions, serve)
        : createTlsServer({ ...serverOptions, ...tls.options }, serve);
    this.#server.maxConnections = limits.maxConnections;
    this.#server.timeout = limits.idleTimeoutMs;
  }

  /**
   * Listens. Rejects with a StreamgaugeError of kind `config` that names address and setting when the address cannot be had, and of
   * kind `cancelled` when the signal was given before.
   */
  async start(signal?: AbortSignal): Promise<void> {
    if (this.#state !== 'new')
      throw new StreamgaugeError('bug', `The ${this.#options.name} server was started before.`);
    const { host, port } = this.#options;
    if (signal?.aborted === true) throw StreamgaugeError.from(signal.reason);
    this.#state = 'listening';
    try {
      this.#server.listen({ host, port });
      await once(this.#server, 'listening');
    } catch (error) {
      this.#state = 'stopped';
      throw listenError(error, this.#options);
    }
    const { tls, guard } = this.#options;
    if (tls !== undefined) {
      const server = this.#server as TlsServer;
      tls.start((context) => server.setSecureContext(context));
      server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) =>
        guard?.handshakeFailed(error, addressOf(socket)),
      );
    }
    // Later errors are those of single connections, which their own handlers deal with.
    this.#server.on('error', (error) => this.#options.onFailure(StreamgaugeError.from(error), ''));
    const { guards = [] } = this.#options;
    this.#guards = isLoopbackAddress(this.#address().address) ? [refuseForeignHost, ...guards] : guards;
  }

  /** `127.0.0.1:4318`, `[::1]:4318`: where it listens, with the port that was picked. '' while it does not. */
  get address(): string {
    if (!this.#server.listening) return '';
    const { address, family, port } = this.#address();
    return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
  }

  /** The port that it listens on; 0 while it does not. */
  get port(): number {
    return this.#server.listening ? this.#address().port : 0;
  }

  /** Takes no new connections, answers what was asked, cuts off what is not answered in time, and stops. */
  async drain(deadlineMs: number): Promise<HttpDrainReport> {
    const pending = this.#running;
    if (this.#state !== 'listening') return { answered: 0, cutOff: 0 };
    this.#state = 'draining';
    this.#server.close();
    this.#server.closeIdleConnections();
    if (this.#running > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, deadlineMs);
        this.#onIdle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    const cutOff = this.#running;
    await this.stop();
    return { answered: Math.max(0, pending - cutOff), cutOff };
  }

  /** Closes at once. Safe before start and when repeated. */
  async stop(): Promise<void> {
    const wasListening = this.#server.listening;
    this.#state = 'stopped';
    this.#options.tls?.stop();
    this.#onIdle?.();
    if (wasListening) this.#server.close();
    this.#server.closeAllConnections();
    if (wasListening) await once(this.#server, 'close');
  }

  #address(): AddressInfo {
    return this.#server.address() as AddressInfo;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#running++;
    const [path = ''] = (request.url ?? '').split('?', 1);
    try {
      const answer = await this.#answer(request, path);
      if (this.#state !== 'listening') response.shouldKeepAlive = false;
      await sendAnswer(request, response, answer);
    } catch (thrown) {
      const error = StreamgaugeError.from(thrown);
      if (!isClientGone(thrown)) this.#options.onFailure(error, path);
      response.destroy();
    } finally {
      this.#running--;
      if (this.#running === 0) this.#onIdle?.();
    }
  }

  /** The answer to a client that may not use its connection, or not for what it asks for. */
  #denied(request: IncomingMessage, permission: Permission | undefined): Answer | undefined {
    const { guard } = this.#options;
    if (guard === undefined) return undefined;
    const { socket, headers } = request;
    const { authorization } = headers;
    const incoming = { connection: socket, socket, address: addressOf(socket), authorization };
    if (permission === undefined) {
      const denial = guard.connection(incoming);
      return denial === undefined ? undefined : denialAnswer(denial);
    }
    const admission = guard.admit(incoming, permission);
    return 'denial' in admission ? denialAnswer(admission.denial) : undefined;
  }

  async #answer(request: IncomingMessage, path: string): Promise<Answer> {
    for (const guard of this.#guards) {
      const refusal = guard(request);
      if (refusal !== undefined) return textAnswer(403, refusal);
    }
    const unwanted = this.#denied(request, undefined);
    if (unwanted !== undefined) return unwanted;
    const match = this.#table.match(request.method ?? '', path);
    if (match.kind === 'not_found') {
      return textAnswer(404, `There is nothing here; there is ${this.#table.paths.join(', ')}.`);
    }
    if (match.kind === 'method_not_allowed') {
      return textAnswer(405, `Only ${match.allow} is allowed here.`, { Allow: match.allow });
    }
    const { route } = match;
    const { permission } = route;
    const denied = permission === undefined ? undefined : this.#denied(request, permission);
    if (denied !== undefined) return denied;
    try {
      const body = route.maxBodyBytes === undefined ? noBody : await readBody(request, route.maxBodyBytes);
      const query = new URLSearchParams((request.url ?? '').slice(path.length + 1));
      return await route.handle({ headers: request.headers, query, body });
    } catch (thrown) {
      const error = StreamgaugeError.from(thrown);
      if (error.kind === 'bug') this.#options.onFailure(error, path);
      return errorAnswer(error);
    }
  }
}

const noBody = Buffer.alloc(0);

function addressOf({ remoteAddress = 'unknown', remotePort }: Socket): string {
  return remotePort === undefined ? remoteAddress : `${remoteAddress}:${remotePort}`;
}

/** A client that goes away in the middle of an answer, or that was cut off, is no failure of ours. */
function isClientGone(thrown: unknown): boolean {
  const { code = '' } = (thrown ?? {}) as { code?: string };
  return ['ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED', 'ECONNRESET', 'EPIPE'].includes(code);
}
