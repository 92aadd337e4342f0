import { once } from 'node:events';
import {
  constants,
  type Http2SecureServer,
  type Http2Server,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Server, ServerCredentials, type ServerDuplexStream, status } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { hostPort } from '../../otel/config/addresses.ts';
import { StreamgaugeError } from '../../proto/error.ts';
import { loadProto } from '../../proto/load.ts';
import { connectPath, telemetryStreamService } from '../../proto/service.ts';
import type { GrpcConfig } from '../config/collector-config.ts';
import { listenError } from '../http/listen-error.ts';
import { type PortExceeded, uncounted } from '../security/exceeded.ts';
import type { PortGuard } from '../security/port-guard.ts';
import type { ServerTls } from '../security/server-tls.ts';
import { moveOn } from '../sessions/move-on.ts';
import type { Session } from '../sessions/session.ts';
import type { SessionPeer } from '../sessions/session-host.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { AgentCall } from './agent-call.ts';
import type { Backlog } from './backlog.ts';
import { ConnectionBytes } from './connection-bytes.ts';
import { GrpcJsCall } from './grpc-js-call.ts';
import { HealthService } from './health-service.ts';
import { Http2Call } from './http2-call.ts';
import { http2ServersOf } from './http2-servers.ts';
import { keepAlive } from './keepalive.ts';
import { MessageRooms } from './message-rooms.ts';
import { OpenSockets } from './open-sockets.ts';
import { addOtlpService, metricsServiceName, serveOtlpOnStreams } from './otlp/grpc-service.ts';
import type { OtlpDoor } from './otlp/otlp-door.ts';
import { PortShell } from './port-shell.ts';
import { widenReceiveWindow } from './receive-window.ts';
import { isGrpc, servePath } from './serve-path.ts';
import { TlsServerCredentials } from './server-credentials.ts';
import { type StreamCredentials, serveStream } from './stream-calls.ts';
import { StreamDoor } from './stream-door.ts';

const serviceName = 'streamgauge.v1.TelemetryStream';

/** What tests set otherwise. */
export interface ReceiverOptions {
  /** Hello comes within this, or the stream ends; without it what is configured holds. */
  readonly helloDeadlineMs?: number | undefined;
  /** A peer that has not let go of a stream that we ended is cut off after this. */
  readonly lingerMs: number;
  readonly http2ServersOf: (server: Server) => readonly Http2Server[];
  /** TLS of the port; without it there is none. */
  readonly tls?: ServerTls | undefined;
  /** Who may come in; without it everybody may. */
  readonly guard?: PortGuard | undefined;
  /** Where requests of OTLP go, and how large one may be; without it there are none. */
  readonly otlp?: { readonly door: OtlpDoor; readonly maxRequestBytes: number } | undefined;
  /** While it is congested, agents' streams are not read on. */
  readonly backlog?: Backlog | undefined;
  /** Told of peers that go over a limit. */
  readonly exceeded?: PortExceeded | undefined;
  /** Counts what goes over the port's connections. */
  readonly bytes: ConnectionBytes;
}

const usualOptions: Omit<ReceiverOptions, 'bytes'> = { lingerMs: 10_000, http2ServersOf };

/** How long the last bytes to peers may take to leave when the port is closed. */
const lastWordsMs = 500;

/**
 * The gRPC port: agents' streams, `grpc.health.v1` and, unless switched off, reflection. `start` listens; `drain` says
 * NOT_SERVING and takes no new streams; `stop` is safe before start and when repeated. The port and all connections are grpc-js',
 * and so is every call but those of agents, which are served on their HTTP/2 streams; where those cannot be had, by grpc-js as well.
 */
export class GrpcReceiver {
  readonly #config: GrpcConfig;
  readonly #sessions: Sessions;
  readonly #onBug: (error: unknown) => void;
  readonly #options: ReceiverOptions;
  readonly #health = new HealthService(['', serviceName, metricsServiceName]);
  readonly #sockets = new OpenSockets();
  #server: Server | undefined;
  /** Its agents' streams. */
  readonly #agents = new Set<Session>();
  /** Where its servers listened before it was suspended. */
  #suspended: { readonly server: Http2Server; readonly address: AddressInfo }[] = [];
  readonly #sessionsOf = new WeakMap<Http2Session, Set<Session>>();

  constructor(
    config: GrpcConfig,
    sessions: Sessions,
    onBug: (error: unknown) => void,
    options: Partial<ReceiverOptions> = {},
  ) {
    this.#config = config;
    this.#sessions = sessions;
    this.#onBug = onBug;
    this.#options = { ...usualOptions, bytes: new ConnectionBytes(), ...options };
  }

  /** Listens, and gives the port. @throws StreamgaugeError `config` when the address cannot be had */
  async start(): Promise<number> {
    const { host, port, limits, portLimits } = this.#config;
    const server = new Server({
      'grpc.max_receive_message_length': limits.maxMessageBytes,
      // Nobody asks for its counts, and it keeps them for each connection.
      'grpc.enable_channelz': 0,
    });
    this.#server = server;
    server.addService(telemetryStreamService, {
      Connect: (call: ServerDuplexStream<Buffer, Buffer>) =>
        this.#connect(new GrpcJsCall(call, this.#options.lingerMs, this.#options.backlog)),
    });
    if (this.#options.otlp !== undefined) addOtlpService(server, this.#options.otlp.door);
    this.#health.addToServer(server);
    if (this.#config.reflection)
      new ReflectionService({
        ...loadProto('streamgauge/v1/telemetry_stream.proto'),
        ...loadProto('opentelemetry/proto/collector/metrics/v1/metrics_service.proto'),
      }).addToServer(server);
    const { tls } = this.#options;
    const credentials =
      tls === undefined
        ? ServerCredentials.createInsecure()
        : new TlsServerCredentials(tls, portLimits.handshakeTimeoutMs);
    const bound = await new Promise<number>((resolve, reject) => {
      server.bindAsync(hostPort(host, port), credentials, (error, boundPort) => {
        if (error === null) resolve(boundPort);
        else
          reject(
            listenError(bindCause(error), {
              name: 'gRPC',
              host,
              port,
              portSetting: '--grpc-port or grpc.port',
            }),
          );
      });
    });
    try {
      this.#reachIn(server);
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#health.setAll('SERVING');
    return bound;
  }

  /** No new streams from here on. */
  drain(): void {
    this.#health.setAll('NOT_SERVING');
  }

  /** What goes over the port's connections. */
  get bytes(): ConnectionBytes {
    return this.#options.bytes;
  }

  /** Takes no new connections, so that another may listen there; those that there are go on. */
  suspend(): void {
    if (this.#server === undefined) return;
    for (const server of this.#options.http2ServersOf(this.#server)) {
      const address = server.address();
      if (address === null || typeof address === 'string') continue;
      this.#suspended.push({ server, address });
      server.close();
    }
  }

  /** Listens again where it did before it was suspended. @throws StreamgaugeError `config` when the address cannot be had */
  async resume(): Promise<void> {
    if (this.#server === undefined) return;
    for (const { server, address } of this.#suspended.splice(0)) {
      const { address: host, port } = address;
      try {
        server.listen({ host, port });
        await once(server, 'listening');
      } catch (error) {
        throw listenError(error, { name: 'gRPC', host, port, portSetting: '--grpc-port or grpc.port' });
      }
    }
  }

  /**
   * Takes no new connections, asks its agents to leave, so many a second, and stops when all have gone or the deadline is over. They come back at once, elsewhere.
   */
  async release(deadlineMs: number, agentsPerSecond: number): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.suspend();
    this.#suspended = [];
    const deadline = AbortSignal.timeout(Math.ceil(deadlineMs));
    await moveOn([...this.#agents], agentsPerSecond, deadline);
    const isShut = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
    await Promise.race([isShut, aborted(deadline)]);
    await this.stop();
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.#options.tls?.stop();
    server?.forceShutdown();
    await this.#sockets.end(lastWordsMs);
  }

  /** What grpc-js has no options for. */
  #reachIn(server: Server): void {
    const http2Servers = this.#options.http2ServersOf(server);
    const { guard, tls } = this.#options;
    // Nobody would be asked for anything.
    if (http2Servers.length === 0 && guard?.isOpen === false)
      throw new StreamgaugeError(
        'bug',
        'this version of @grpc/grpc-js does not show its HTTP/2 servers, and certificates and tokens cannot be asked for without: install the version that streamgauge names',
      );
    if (http2Servers.length === 0)
      this.#onBug(
        new Error(
          'this version of @grpc/grpc-js does not show its HTTP/2 servers: streams cost more, are slow over long distances, their bytes are not counted, those of agents that are gone stay open, and the limits under grpc.limits do not hold but for max_message_bytes and hello_timeout: install the version that streamgauge names',
        ),
      );
    const { lingerMs, backlog } = this.#options;
    const { limits, portLimits, keepaliveTimeMs, keepaliveTimeoutMs } = this.#config;
    const { maxMessageBytes } = limits;
    const shell = new PortShell(this.#config, tls !== undefined, this.#options.exceeded ?? uncounted);
    for (const http2Server of http2Servers) {
      http2Server.updateSettings({ maxConcurrentStreams: portLimits.maxStreamsPerConnection });
      widenReceiveWindow(http2Server);
      keepAlive(http2Server, keepaliveTimeMs, keepaliveTimeoutMs);
      this.bytes.watch(http2Server);
      this.#sockets.watch(http2Server);
      const callOf = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) =>
        new Http2Call(stream, headers, { maxMessageBytes, lingerMs, backlog, ...shell.callOptions(stream) });
      const door = guard === undefined ? undefined : new StreamDoor(guard, callOf);
      if (tls !== undefined) door?.watch(http2Server as Http2SecureServer);
      servePath(
        http2Server,
        connectPath,
        (stream, headers) => {
          const problem = shell.problem(stream, headers);
          if (!isGrpc(stream, headers)) return;
          if (problem !== undefined) {
            refuse(stream, callOf(stream, headers), problem.reason);
            return;
          }
          const admission = door?.admit(stream, headers, 'stream');
          const call = callOf(stream, headers);
          if (admission === undefined) this.#keep(stream, this.#connect(call));
          else if ('grant' in admission)
            this.#keep(
              stream,
              this.#connect(call, {
                grant: admission.grant,
                onDenied: (denial) => guard!.denied(call, denial),
              }),
            );
          else {
            this.#sessions.counters.streamsEnded[door!.refuse(stream, call, admission.denial)]++;
          }
        },
        (stream, headers) => {
          const problem = shell.problem(stream, headers);
          if (problem === undefined) return door === undefined || door.isConnectionLetIn(stream, headers);
          if (isGrpc(stream, headers)) refuse(stream, callOf(stream, headers), problem.reason);
          return false;
        },
      );
      const { otlp } = this.#options;
      if (otlp !== undefined) {
        const maxBytes = otlp.maxRequestBytes;
        const rooms = new MessageRooms(2 * maxBytes);
        serveOtlpOnStreams(http2Server, {
          door: otlp.door,
          guard,
          streamDoor: door,
          callOf: (stream, headers) =>
            new Http2Call(stream, headers, {
              maxMessageBytes: maxBytes,
              lingerMs,
              rooms,
              ...shell.callOptions(stream),
            }),
          problem: (stream, headers, cost) => shell.problem(stream, headers, cost),
          refuse,
        });
      }
      // Last, so that whoever looks at connections sees those that are let in.
      shell.guard(http2Server, (connection) => this.#moveOn(connection));
    }
  }

  /** Remembers the session of a stream by its connection. */
  #keep(stream: ServerHttp2Stream, session: Session | undefined): void {
    const connection = stream.session;
    if (connection === undefined || session === undefined) return;
    let sessions = this.#sessionsOf.get(connection);
    if (sessions === undefined) {
      sessions = new Set();
      this.#sessionsOf.set(connection, sessions);
    }
    const held = sessions;
    held.add(session);
    this.#agents.add(session);
    stream.once('close', () => {
      held.delete(session);
      this.#agents.delete(session);
    });
  }

  /** Asks the agents on a connection to leave it. They come back at once, on another. */
  #moveOn(connection: Http2Session): void {
    for (const session of this.#sessionsOf.get(connection) ?? [])
      if (session.state === 'open') session.drain(0);
  }

  #connect(call: AgentCall, credentials?: StreamCredentials): Session | undefined {
    const refusal = this.#sessions.refusal();
    if (refusal === undefined) {
      const { helloDeadlineMs = this.#config.portLimits.helloTimeoutMs } = this.#options;
      const open = (peer: SessionPeer) => this.#sessions.open(peer);
      try {
        return serveStream(call, open, helloDeadlineMs, this.#onBug, credentials);
      } catch (thrown) {
        this.#turnAway(call, StreamgaugeError.from(thrown));
        return undefined;
      }
    }
    const { reason, isRetryable } = refusal;
    call.end(isRetryable ? status.UNAVAILABLE : status.RESOURCE_EXHAUSTED, reason);
    return undefined;
  }

  /** Nothing can be taken in at present, a stream included, or never again. */
  #turnAway(call: AgentCall, error: StreamgaugeError): void {
    if (error.kind === 'overloaded' || error.kind === 'cancelled') {
      this.#sessions.counters.streamsEnded.overloaded++;
      call.end(status.UNAVAILABLE, error.message);
      return;
    }
    this.#onBug(error);
    call.end(status.INTERNAL, 'the collector failed on this stream; its log says why');
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** Ends a stream that is over a limit, without waiting for what its peer has to say. */
function refuse(stream: ServerHttp2Stream, call: AgentCall, reason: string): void {
  call.end(status.RESOURCE_EXHAUSTED, reason);
  stream.close(constants.NGHTTP2_NO_ERROR);
}

/** grpc-js wraps what the system said into text; its error codes are in there. */
function bindCause(error: Error): unknown {
  const code = /\b(EADDRINUSE|EACCES|EADDRNOTAVAIL|ENOTFOUND|EAI_AGAIN)\b/.exec(error.message)?.[1];
  return code === undefined ? error : Object.assign(new Error(error.message, { cause: error }), { code });
}
