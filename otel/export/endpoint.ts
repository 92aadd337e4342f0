/** An endpoint that cannot be used, with what can. */
export class EndpointError extends Error {
  override readonly name = 'EndpointError';
}

export interface GrpcEndpoint {
  /** What grpc-js connects to: `host:port`. */
  readonly target: string;
  readonly tls: boolean;
  /** For logs and pages; without user and password. */
  readonly shown: string;
}

/**
 * An OTLP/gRPC endpoint: `http://host:port` and `grpc://host:port` without TLS, `https://` and `grpcs://` with; a bare `host:port` with
 * TLS unless `insecure`. Without a port it is 4317, and 443 with TLS.
 * @throws EndpointError
 */
export function grpcEndpoint(url: string, insecure = false): GrpcEndpoint {
  const [, scheme, rest] = /^(?:([a-z]+):\/\/)?([^/?#]+)\/?$/i.exec(url.trim()) ?? [];
  const tls = { http: false, grpc: false, https: true, grpcs: true, '': !insecure }[
    scheme?.toLowerCase() ?? ''
  ];
  // A scheme that URL knows nothing about keeps every port as it is written.
  const parsed = rest === undefined ? null : URL.parse(`grpc://${rest}`);
  if (tls === undefined || parsed === null || parsed.hostname === '' || parsed.username !== '') {
    throw new EndpointError(
      `endpoint ${shownUrl(url)} is none for OTLP/gRPC: give http://HOST:PORT, or https://HOST:PORT for TLS, without a path or user`,
    );
  }
  const target = `${parsed.hostname}:${parsed.port || (tls ? 443 : 4317)}`;
  return { target, tls, shown: `${tls ? 'https' : 'http'}://${target}` };
}

/**
 * An OTLP/HTTP endpoint: a URL with http or https. Without a path it is a base, and `/v1/metrics` is added.
 * @throws EndpointError
 */
export function httpEndpoint(url: string): URL {
  const parsed = URL.parse(url.trim());
  if (
    parsed === null ||
    !/^https?:$/.test(parsed.protocol) ||
    parsed.username !== '' ||
    parsed.password !== ''
  ) {
    throw new EndpointError(
      `endpoint ${shownUrl(url)} is none for OTLP/HTTP: give http://HOST:PORT/v1/metrics or https://HOST:PORT/v1/metrics, without a user`,
    );
  }
  if (parsed.pathname === '/') parsed.pathname = '/v1/metrics';
  return parsed;
}

/** A URL for logs and pages: user, password, query and fragment may be secrets. */
export function shownUrl(url: string | URL): string {
  return String(url)
    .replace(/[?#].*$/s, '')
    .replace(/\/\/[^/@]*@/, '//');
}
