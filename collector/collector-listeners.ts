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
import type { PortExceeded } from './security/exceeded.ts';
import type { PortGuard } from './security/port-guard.ts';
import type { ServerTls } from './security/server-tls.ts';
import type { CollectorTelemetry } from './telemetry/collector-telemetry.ts';

/** TLS of a port, who may come in there, and what is counted of those who went too far. */
export interface PortSecurity {
  readonly tls: ServerTls | undefined;
  readonly guard: PortGuard | undefined;
  readonly exceeded: PortExceeded;
}

/** What the HTTP ports serve. */
export interface ListenerOptions {
  readonly config: CollectorConfig;
  readonly writerId: string;
  /** TLS of a port, who may come in there, and what is counted of those who went too far. */
  readonly security: (port: string, tls: ServerTlsConfig | undefined) => PortSecurity;
  readonly telemetry: CollectorTelemetry;
  readonly scraped: FullCollection;
  /** Resolves when what was read so far may leave. */
  readonly committed: (() => Promise<void>) | undefined;
  /** Why nothing may leave at present. */
  readonly failure: () => StreamgaugeError | undefined;
  readonly ready: () => Readiness;
  readonly status: () => object;
  readonly agents: () => AgentView[];
  /** Of the HTTP port, beside those. */
  readonly routes: readonly Route[];
  /** Of the admin port, beside those. */
  readonly adminRoutes: readonly Route[];
  readonly log: { warn(fields: object, message: string): void };
}

/** The HTTP port, the admin port, and one for each Prometheus reader. */
export function collectorListeners(
  options: ListenerOptions,
): [HttpListener, HttpListener, ...HttpListener[]] {
  const { config, security, log } = options;
  const { http, admin, readers } = config;
  const onFailure = (error: Error, path: string): void =>
    log.warn({ err: error, path }, 'an HTTP request could not be answered');
  const metrics = metricsOptions(options);
  const { ready, status, agents, routes, adminRoutes } = options;
  return [
    httpServer({ ...http, ...security('http', http.tls), ...metrics, onFailure, ready, routes }),
    adminServer({
      ...admin,
      ...security('admin', admin.tls),
      onFailure,
      status,
      agents,
      routes: adminRoutes,
    }),
    ...readers.filter(isPull).map(({ host, port, name, tls }) =>
      prometheusServer({
        host,
        port,
        ...security(name, tls),
        ...metrics,
        limits: http.limits,
        allowedHosts: http.allowedHosts,
        onFailure,
        portSetting: `the port of the reader ${name}`,
      }),
    ),
  ];
}

function metricsOptions({
  writerId,
  scraped,
  telemetry,
  committed,
  failure,
  log,
}: ListenerOptions): MetricsRouteOptions {
  const conflicts = new ConflictLog((conflict, message) => log.warn({ conflict }, message));
  return {
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
