// Endpoints of OTLP exporters, after https://opentelemetry.io/docs/specs/otel/protocol/exporter/

/** An endpoint that can be used, or a sentence about what is allowed. */
export type Endpoint = { readonly url: string } | { readonly problem: string };

const grpcAllowed =
  'allowed: http://HOST:PORT (no TLS) or https://HOST:PORT, without path, user or query, like http://localhost:4317';
const httpAllowed = 'allowed: an http:// or https:// URL without user, like http://localhost:4318/v1/metrics';

/**
 * An OTLP/gRPC endpoint as `http://HOST:PORT` or `https://HOST:PORT`. Without a scheme `insecure` decides. Without a port it is 443
 * with TLS, as gRPC has it, and else 4317.
 */
export function grpcEndpoint(text: string, insecure: boolean): Endpoint {
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
  const url = parsed(hasScheme ? text : `${insecure ? 'http' : 'https'}://${text}`);
  if (url === undefined || (url.pathname !== '/' && url.pathname !== '') || url.search !== '') {
    return { problem: grpcAllowed };
  }
  // The URL parser drops a port that is its scheme's default, even one that was written.
  const written = /:(\d+)\/?$/.exec(text)?.[1];
  const port = url.port || (written ?? (url.protocol === 'https:' ? '443' : '4317'));
  return { url: `${url.protocol}//${url.hostname}:${Number(port)}` };
}

/** An OTLP/HTTP endpoint: the whole URL that is posted to. */
export function httpEndpoint(text: string): Endpoint {
  const url = parsed(text);
  return url === undefined ? { problem: httpAllowed } : { url: url.href };
}

/** An OTLP/HTTP endpoint for all signals, which `v1/metrics` is put behind. */
export function httpBaseEndpoint(text: string): Endpoint {
  const url = parsed(text);
  if (url === undefined) return { problem: httpAllowed };
  url.pathname = `${url.pathname.replace(/\/$/, '')}/v1/metrics`;
  return { url: url.href };
}

function parsed(text: string): URL | undefined {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return undefined;
  }
  const isPlain = url.username === '' && url.password === '' && url.hash === '' && url.hostname !== '';
  return isPlain && (url.protocol === 'http:' || url.protocol === 'https:') ? url : undefined;
}
