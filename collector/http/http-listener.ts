import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { StreamgaugeError } from '../../proto/error.ts';
import type { Permission } from '../config/auth-config.ts';
import { type HttpLimits, httpLimits, rateWindowSeconds } from '../config/limits-config.ts';
import type { Admission } from '../security/access.ts';
import { AddressBook } from '../security/address-book.ts';
import { ConnectionGate } from '../security/connection-gate.ts';
import type { Denial } from '../security/denial.ts';
import { type PortExceeded, uncounted } from '../security/exceeded.ts';
import type { PortGuard } from '../security/port-guard.ts';
import type { ServerTls } from '../security/server-tls.ts';
import { answerClientError, closingAnswer } from './client-error.ts';
import { denialAnswer, errorAnswer } from './error-answer.ts';
import { listenError } from './listen-error.ts';
import { BodyTooLargeError, readBody } from './read-body.ts';
import { isLoopbackAddress, RequestGuard } from './request-guard.ts';
import { type Answer, type Route, textAnswer } from './route.ts';
import { type Match, RouteTable } from './route-table.ts';
import { AnswerTimeoutError, sendAnswer } from './send-answer.ts';

/** Beyond the idle time, so that clients are not cut off while they are still told that the connection stays. */
const idleGraceMs = 5000;
/** Requests of one connection that are under way at one time. All that are read at once would be worked on at once. */
const maxPipelined = 8;
/** How often requests that take too long are looked for. */
const checkEveryMs = 5000;

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
  /** What clients may take. Default: {@link httpLimits}. */
  readonly limits?: HttpLimits;
  /** See {@link RequestGuardOptions}. */
  readonly allowedHosts?: readonly string[];
  /** Told of clients that go over a limit. */
  readonly exceeded?: PortExceeded | undefined;
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
  readonly #limits: HttpLimits;
  readonly #exceeded: PortExceeded;
  readonly #pipelined = new WeakMap<Socket, number>();
  #guard: RequestGuard | undefined;
  #state: 'new' | 'listening' | 'draining' | 'stopped' = 'new';
  #running = 0;
  #onIdle: (() => void) | undefined;
  #suspendedPort: number | undefined;

  constructor(options: HttpListenerOptions) {
    this.#options = options;
    this.#table = new RouteTable(options.routes);
    const { tls, limits = httpLimits, exceeded = uncounted } = options;
    this.#limits = limits;
    this.#exceeded = exceeded;
    const serverOptions = {
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.idleTimeoutMs,
      connectionsCheckingInterval: Math.min(checkEveryMs, limits.headersTimeoutMs, limits.requestTimeoutMs),
    };
    const serve = (request: IncomingMessage, response: ServerResponse): void => {
      if (this.#isInTurn(request, response)) void this.#serve(request, response);
    };
    const { handshakeTimeoutMs: handshakeTimeout } = limits;
    this.#server =
      tls === undefined
        ? createServer(serverOptions, serve)
        : createTlsServer({ ...serverOptions, ...tls.options, handshakeTimeout }, serve);
    // A connection on which nothing moves, as that of a client which stopped reading its answer.
    this.#server.timeout = limits.idleTimeoutMs + idleGraceMs;
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      const answering = (socket as { _httpMessage?: ServerResponse })._httpMessage;
      const problem = answerClientError(error, socket, answering?.headersSent === true);
      if (problem !== undefined) this.#exceeded.exceeded(problem.cause, addressOf(socket), problem.reason);
    });
    this.#gate(tls !== undefined);
  }

  #gate(isTls: boolean): void {
    const limits = this.#limits;
    const section = `the limits of the ${this.#options.name} port`;
    const retryAfter = `Retry-After: ${rateWindowSeconds}\r\n`;
    const sentence = 'There are too many connections; try again later.';
    const gate = new ConnectionGate({
      limits,
      section,
      addresses: new AddressBook({
        connections: limits.maxConnectionRatePerAddress,
        streams: 0,
        windowSeconds: rateWindowSeconds,
      }),
      exceeded: this.#exceeded,
      // Who is in a TLS handshake could not read it.
      answer: isTls ? undefined : closingAnswer('503 Service Unavailable', sentence, retryAfter),
    });
    gate.guard(this.#server);
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
      server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
        guard?.handshakeFailed(error, addressOf(socket));
        // What HTTP would answer waits for the end of the handshake, and the connection with it.
        socket.destroy();
      });
    }
    // Later errors are those of single connections, which their own handlers deal with.
    this.#server.on('error', (error) => this.#options.onFailure(StreamgaugeError.from(error), ''));
    const { allowedHosts = [] } = this.#options;
    this.#guard = new RequestGuard({
      isLoopback: isLoopbackAddress(this.#address().address),
      allowedHosts,
    });
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

  /** Takes no new connections, so that another may listen there; requests that there are go on. */
  suspend(): void {
    if (this.#state !== 'listening') return;
    this.#suspendedPort = this.port;
    this.#server.close();
  }

  /** Listens again where it did before it was suspended. @throws StreamgaugeError `config` when the address cannot be had */
  async resume(): Promise<void> {
    const port = this.#suspendedPort;
    if (port === undefined || this.#state !== 'listening') return;
    this.#suspendedPort = undefined;
    const { host } = this.#options;
    try {
      this.#server.listen({ host, port });
      await once(this.#server, 'listening');
    } catch (error) {
      throw listenError(error, { ...this.#options, port });
    }
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
      await sendAnswer(request, response, answer, this.#limits.answerTimeoutMs);
    } catch (thrown) {
      if (thrown instanceof AnswerTimeoutError)
        this.#exceeded.exceeded('answer_timeout', addressOf(request.socket), thrown.message);
      const error = StreamgaugeError.from(thrown);
      if (!isClientGone(thrown) && !(thrown instanceof AnswerTimeoutError))
        this.#options.onFailure(error, path);
      response.destroy();
    } finally {
      this.#running--;
      if (this.#running === 0) this.#onIdle?.();
    }
  }

  /** Whether a client has awaited its answers. One that has not is told so once; what else it asked before is not looked at. */
  #isInTurn({ socket }: IncomingMessage, response: ServerResponse): boolean {
    const pipelined = (this.#pipelined.get(socket) ?? 0) + 1;
    this.#pipelined.set(socket, pipelined);
    response.once('close', () => this.#pipelined.set(socket, this.#pipelined.get(socket)! - 1));
    if (pipelined > maxPipelined + 1) return false;
    if (pipelined <= maxPipelined) return true;
    const reason = `more than ${maxPipelined} requests were sent without awaiting the answers`;
    this.#exceeded.exceeded('pipelined', addressOf(socket), reason);
    response.writeHead(503, { Connection: 'close', 'Content-Type': 'text/plain; charset=utf-8' });
    response.end(`${reason[0]!.toUpperCase()}${reason.slice(1)}.\n`);
    return false;
  }

  /** Whether a client may use its connection, or, with a permission, may do what it asks for. */
  #admit(request: IncomingMessage, permission: Permission | undefined): Admission {
    const { guard } = this.#options;
    if (guard === undefined) return everybody;
    const { socket, headers } = request;
    const { authorization } = headers;
    const incoming = { connection: socket, socket, address: addressOf(socket), authorization };
    if (permission !== undefined) return guard.admit(incoming, permission);
    const denial = guard.connection(incoming);
    return denial === undefined ? everybody : { denial };
  }

  async #answer(request: IncomingMessage, path: string): Promise<Answer> {
    const match = this.#table.match(request.method ?? '', path);
    const refusal = this.#guard?.problem(request);
    if (refusal !== undefined && !(refusal.cause === 'origin' && isOriginAllowed(match, request))) {
      this.#exceeded.exceeded(refusal.cause, addressOf(request.socket), refusal.reason);
      return textAnswer(403, refusal.reason);
    }
    const unwanted = this.#admit(request, undefined);
    if ('denial' in unwanted) return denialAnswer(unwanted.denial);
    if (match.kind === 'not_found') {
      return textAnswer(404, `There is nothing here; there is ${this.#table.paths.join(', ')}.`);
    }
    if (match.kind === 'method_not_allowed') {
      return textAnswer(405, `Only ${match.allow} is allowed here.`, { Allow: match.allow });
    }
    const { route } = match;
    const { permission } = route;
    const admission = permission === undefined ? everybody : this.#admit(request, permission);
    if ('denial' in admission) return denialAnswer(admission.denial);
    try {
      const { maxBodyBytes } = route;
      const body =
        maxBodyBytes === undefined
          ? noBody
          : await readBody(request, Math.min(maxBodyBytes, this.#limits.maxBodyBytes));
      const query = new URLSearchParams((request.url ?? '').slice(path.length + 1));
      const { socket: connection, headers } = request;
      const address = addressOf(connection);
      const { grant } = admission;
      const onDenied = (denial: Denial) => this.#options.guard?.denied({ address }, denial);
      return await route.handle({ headers, query, body, grant, connection, address, onDenied });
    } catch (thrown) {
      const error = StreamgaugeError.from(thrown);
      if (error.kind === 'bug') this.#options.onFailure(error, path);
      if (error instanceof BodyTooLargeError)
        this.#exceeded.exceeded('body', addressOf(request.socket), error.message);
      return errorAnswer(error);
    }
  }
}

const noBody = Buffer.alloc(0);
const everybody: Admission = { grant: undefined };

/** Whether a page of another origin may ask for this. */
function isOriginAllowed(match: Match, { headers }: IncomingMessage): boolean {
  const { origin } = headers;
  return match.kind === 'route' && origin !== undefined && match.route.allowsOrigin?.(origin) === true;
}

function addressOf({ remoteAddress = 'unknown', remotePort }: Socket): string {
  return remotePort === undefined ? remoteAddress : `${remoteAddress}:${remotePort}`;
}

/** A client that goes away in the middle of an answer, or that was cut off, is no failure of ours. */
function isClientGone(thrown: unknown): boolean {
  const { code = '' } = (thrown ?? {}) as { code?: string };
  return ['ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED', 'ECONNRESET', 'EPIPE'].includes(code);
}
