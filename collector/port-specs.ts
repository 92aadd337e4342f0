import type { ServerTlsConfig } from '../otel/config/server-tls.ts';
import { TargetLabels } from '../otel/prometheus/target-labels.ts';
import { PrometheusWriter } from '../otel/prometheus/writer.ts';
import type { StreamgaugeError } from '../proto/error.ts';
import type { AgentView } from './collector-status.ts';
import type { CollectorConfig } from './config/collector-config.ts';
import { ConflictLog } from './http/conflict-log.ts';
import type { Readiness } from './http/health-routes.ts';
import type { HttpListener } from './http/http-listener.ts';
import type { MetricsRouteOptions } from './http/metrics-route.ts';
import type { Route } from './http/route.ts';
import { adminServer, httpServer, prometheusServer } from './http/servers.ts';
import { type FullCollection, isPull } from './metric-readers.ts';
import type { PortServer, PortSpec } from './open-ports.ts';
import type { Backlog } from './receivers/backlog.ts';
import { ConnectionBytes } from './receivers/connection-bytes.ts';
import { GrpcReceiver } from './receivers/grpc-receiver.ts';
import type { OtlpReceiver } from './receivers/otlp/otlp-receiver.ts';
import type { PortExceeded } from './security/exceeded.ts';
import type { PortGuard } from './security/port-guard.ts';
import type { ServerTls } from './security/server-tls.ts';
import type { Sessions } from './sessions/sessions.ts';
import type { CollectorTelemetry } from './telemetry/collector-telemetry.ts';

/** TLS of a port, who may come in there, and what is counted of those who went too far. */
export interface PortSecurity {
  readonly tls: ServerTls | undefined;
  readonly guard: PortGuard | undefined;
  readonly exceeded: PortExceeded;
}

/** What the ports serve. */
export interface PortSurroundings {
  readonly writerId: string;
  readonly sessions: Sessions;
  readonly otlp: OtlpReceiver;
  /** What waits for the disk. */
  readonly backlog: Backlog;
  /** @param isOpen nobody has to present anything but, where a port asks for one, a certificate */
  readonly security: (port: string, tls: ServerTlsConfig | undefined, isOpen: boolean) => PortSecurity;
  readonly telemetry: CollectorTelemetry;
  readonly scraped: FullCollection;
  /** Resolves when what was read so far may leave. */
  readonly committed: (() => Promise<void>) | undefined;
  /** Why nothing may leave at present. */
  readonly failure: () => StreamgaugeError | undefined;
  readonly ready: () => Readiness;
  readonly status: () => object;
  readonly agents: () => AgentView[];
  /** Of the admin port, beside those. */
  readonly adminRoutes: readonly Route[];
  readonly log: {
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
}

/** How many agents a second are asked to leave a port that is made anew: half of what may come back. */
function agentsPerSecond({ portLimits }: CollectorConfig['grpc']): number {
  return Math.min(portLimits.maxConnectionRate, portLimits.maxStreamRatePerAddress) / 2;
}

/** What each port of a configuration is to be. */
export class PortSpecs {
  readonly #surroundings: PortSurroundings;
  readonly #metrics: MetricsRouteOptions;
  readonly #bytes = new ConnectionBytes();

  constructor(surroundings: PortSurroundings) {
    this.#surroundings = surroundings;
    const { writerId, scraped, telemetry, committed, failure, log } = surroundings;
    const conflicts = new ConflictLog((conflict, message) => log.warn({ conflict }, message));
    this.#metrics = {
      writer: new PrometheusWriter(new TargetLabels({ writerId })),
      collection: () => scraped.collect(Date.now() * 1000),
      committed,
      failure,
      onScrape: (report) => {
        telemetry.scraped(report);
        conflicts.scraped(report);
      },
    };
  }

  /** What has gone over connections of the gRPC port, in bytes. */
  get wireBytes(): number {
    return this.#bytes.total;
  }

  /** The HTTP port, the admin port, and one for each Prometheus reader. */
  http(config: CollectorConfig): PortSpec[] {
    const { log, ready, status, agents, adminRoutes } = this.#surroundings;
    const { http, admin, readers, otlp } = config;
    const onFailure = (error: Error, path: string): void =>
      log.warn({ err: error, path }, 'an HTTP request could not be answered');
    const metrics = this.#metrics;
    const pull = { limits: http.limits, allowedHosts: http.allowedHosts };
    return [
      this.#httpSpec('http', http, config, [http, otlp.maxRequestBytes, otlp.cors], (at, security) =>
        httpServer({
          ...{ ...http, ...at, ...security, ...metrics, onFailure, ready },
          routes: this.#surroundings.otlp.of(otlp).routes,
        }),
      ),
      this.#httpSpec('admin', admin, config, [admin], (at, security) =>
        adminServer({ ...admin, ...at, ...security, onFailure, status, agents, routes: adminRoutes }),
      ),
      ...readers.filter(isPull).map((reader) =>
        this.#httpSpec(reader.name, reader, config, [reader.tls, pull], (at, security) =>
          prometheusServer({
            ...{ ...at, ...security, ...metrics, ...pull, onFailure },
            portSetting: `the port of the reader ${reader.name}`,
          }),
        ),
      ),
    ];
  }

  grpc(config: CollectorConfig): PortSpec {
    const { sessions, otlp, backlog, security, log } = this.#surroundings;
    const { grpc, auth } = config;
    const { host, port, tls, limits, insecure: _, ...rest } = grpc;
    const isOpen = asksNobody(auth);
    return {
      ...{ name: 'grpc', host, port },
      settings: JSON.stringify([rest, tls, limits.maxMessageBytes, isOpen, config.otlp.maxRequestBytes]),
      make: (at) => {
        const receiver = new GrpcReceiver(
          { ...grpc, port: at },
          sessions,
          (error) => log.error({ err: error }, 'a message made the collector fail; please report this'),
          { ...security('grpc', tls, isOpen), otlp: otlp.of(config.otlp).grpc, bytes: this.#bytes, backlog },
        );
        return {
          start: () => receiver.start(),
          suspend: () => receiver.suspend(),
          resume: () => receiver.resume(),
          release: (deadlineMs) => receiver.release(deadlineMs, agentsPerSecond(grpc)),
          notServing: () => receiver.drain(),
          stop: () => receiver.stop(),
        };
      },
    };
  }

  #httpSpec(
    name: string,
    { host, port, tls }: { host: string; port: number; tls?: ServerTlsConfig | undefined },
    { auth }: CollectorConfig,
    settings: readonly unknown[],
    make: (at: { host: string; port: number }, security: PortSecurity) => HttpListener,
  ): PortSpec {
    const isOpen = asksNobody(auth);
    return {
      ...{ name, host, port },
      // Whether other machines may be reached without TLS is a question for who writes the configuration.
      settings: JSON.stringify([settings, isOpen], (key, value) => (key === 'insecure' ? undefined : value)),
      make: (at) => httpPort(make({ host, port: at }, this.#surroundings.security(name, tls, isOpen))),
    };
  }
}

/** Whether nobody has to present anything. */
function asksNobody({ clients, tokens }: CollectorConfig['auth']): boolean {
  return clients === undefined && tokens === undefined;
}

function httpPort(listener: HttpListener): PortServer {
  return {
    async start() {
      await listener.start();
      return listener.port;
    },
    suspend: () => listener.suspend(),
    resume: () => listener.resume(),
    async release(deadlineMs) {
      await listener.drain(deadlineMs);
    },
    stop: () => listener.stop(),
  };
}
