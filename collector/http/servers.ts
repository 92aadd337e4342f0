import { type AdminData, adminRoutes } from './admin-routes.ts';
import { healthRoutes, type Readiness } from './health-routes.ts';
import { HttpListener, type HttpListenerOptions } from './http-listener.ts';
import { type MetricsRouteOptions, metricsRoute } from './metrics-route.ts';
import type { Route } from './route.ts';

/** What every server is told. */
export type ServerAddress = Pick<
  HttpListenerOptions,
  'host' | 'port' | 'onFailure' | 'tls' | 'guard' | 'limits' | 'allowedHosts' | 'exceeded'
>;

/** The public port, 4318: `/healthz`, `/readyz`, `/metrics`. */
export function httpServer(
  options: ServerAddress &
    MetricsRouteOptions & { readonly ready: () => Readiness; readonly routes?: readonly Route[] },
): HttpListener {
  const { routes = [] } = options;
  return new HttpListener({
    name: 'HTTP',
    ...addressOptions(options),
    portSetting: '--http-port or http.port',
    routes: [...healthRoutes(options.ready), metricsRoute(options), ...routes],
  });
}

/** The admin port, 4319: status and agents, and what is given besides. */
export function adminServer(
  options: ServerAddress & AdminData & { readonly routes?: readonly Route[] },
): HttpListener {
  const { routes } = options;
  return new HttpListener({
    name: 'admin',
    ...addressOptions(options),
    portSetting: '--admin-port or admin.port',
    // All of it is for those who run the collector.
    routes: adminRoutes(options, routes).map((route) => ({ ...route, permission: 'admin' })),
  });
}

/** The `prometheus` pull reader: `/metrics` on an address of its own. */
export function prometheusServer(
  options: ServerAddress & MetricsRouteOptions & { readonly portSetting: string },
): HttpListener {
  const { portSetting } = options;
  return new HttpListener({
    name: 'Prometheus reader',
    ...addressOptions(options),
    portSetting,
    routes: [metricsRoute(options)],
  });
}

/** These and nothing else of what there may be. */
function addressOptions({
  host,
  port,
  onFailure,
  tls,
  guard,
  limits,
  allowedHosts,
  exceeded,
}: ServerAddress): ServerAddress {
  return {
    host,
    port,
    onFailure,
    tls,
    guard,
    exceeded,
    ...(limits !== undefined && { limits }),
    ...(allowedHosts !== undefined && { allowedHosts }),
  };
}
