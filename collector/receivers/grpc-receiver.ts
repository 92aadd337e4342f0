import { Server, ServerCredentials, type ServerDuplexStream, status } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation } from 'grpc-health-check';
import { loadProto } from '../../proto/load.ts';
import { telemetryStreamService } from '../../proto/service.ts';
import type { GrpcConfig } from '../config/collector-config.ts';
import { listenError } from '../http/listen-error.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { ConnectionBytes } from './connection-bytes.ts';
import { widenReceiveWindow } from './receive-window.ts';
import { type StreamTimes, serveStream } from './stream-calls.ts';

const serviceName = 'streamgauge.v1.TelemetryStream';
const streamTimes: StreamTimes = { helloDeadlineMs: 10_000, lingerMs: 10_000 };

/**
 * The gRPC port: agents' streams, `grpc.health.v1` and, unless switched off, reflection. `start` listens; `drain` says
 * NOT_SERVING and takes no new streams; `stop` is safe before start and when repeated.
 */
export class GrpcReceiver {
  readonly #config: GrpcConfig;
  readonly #sessions: Sessions;
  readonly #onBug: (error: unknown) => void;
  readonly #times: StreamTimes;
  readonly #health = new HealthImplementation({ '': 'NOT_SERVING', [serviceName]: 'NOT_SERVING' });
  /** What goes over the port's connections. */
  readonly bytes = new ConnectionBytes();
  #server: Server | undefined;

  constructor(
    config: GrpcConfig,
    sessions: Sessions,
    onBug: (error: unknown) => void,
    times: StreamTimes = streamTimes,
  ) {
    this.#config = config;
    this.#sessions = sessions;
    this.#onBug = onBug;
    this.#times = times;
  }

  /** Listens, and gives the port. @throws StreamgaugeError `config` when the address cannot be had */
  async start(): Promise<number> {
    const { host, port, limits, keepaliveTimeMs, keepaliveTimeoutMs } = this.#config;
    const server = new Server({
      'grpc.max_receive_message_length': limits.maxMessageBytes,
      'grpc.keepalive_time_ms': keepaliveTimeMs,
      'grpc.keepalive_timeout_ms': keepaliveTimeoutMs,
      'grpc.keepalive_permit_without_calls': 1,
    });
    this.#server = server;
    server.addService(telemetryStreamService, {
      Connect: (call: ServerDuplexStream<Buffer, Buffer>) => this.#connect(call),
    });
    this.#health.addToServer(server);
    if (this.#config.reflection)
      new ReflectionService(loadProto('streamgauge/v1/telemetry_stream.proto')).addToServer(server);
    const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    const bound = await new Promise<number>((resolve, reject) => {
      server.bindAsync(address, ServerCredentials.createInsecure(), (error, boundPort) => {
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
    widenReceiveWindow(server);
    this.bytes.watch(server);
    this.#health.setStatus('', 'SERVING');
    this.#health.setStatus(serviceName, 'SERVING');
    return bound;
  }

  /** No new streams from here on. */
  drain(): void {
    this.#health.setStatus('', 'NOT_SERVING');
    this.#health.setStatus(serviceName, 'NOT_SERVING');
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    server?.forceShutdown();
  }

  #connect(call: ServerDuplexStream<Buffer, Buffer>): void {
    const refusal = this.#sessions.refusal();
    if (refusal !== undefined) {
      call.on('error', () => {});
      call.emit('error', {
        code: refusal.isRetryable ? status.UNAVAILABLE : status.RESOURCE_EXHAUSTED,
        details: refusal.reason,
      });
      return;
    }
    serveStream(call, (peer) => this.#sessions.open(peer), this.#times, this.#onBug);
  }
}

/** grpc-js wraps what the system said into text; its error codes are in there. */
function bindCause(error: Error): unknown {
  const code = /\b(EADDRINUSE|EACCES|EADDRNOTAVAIL|ENOTFOUND|EAI_AGAIN)\b/.exec(error.message)?.[1];
  return code === undefined ? error : Object.assign(new Error(error.message, { cause: error }), { code });
}
