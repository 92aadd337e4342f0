import * as endpoints from '../export/endpoint.ts';

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
  return read(() => endpoints.grpcEndpoint(text, insecure).shown, grpcAllowed);
}

/** An OTLP/HTTP endpoint: the whole URL that is posted to, with `/v1/metrics` when it has no path. */
export function httpEndpoint(text: string): Endpoint {
  return read(() => endpoints.httpEndpoint(text).href, httpAllowed);
}

/** An OTLP/HTTP endpoint for all signals, as OTEL_EXPORTER_OTLP_ENDPOINT holds: `v1/metrics` is put behind it. */
export function httpBaseEndpoint(text: string): Endpoint {
  return read(() => {
    const url = endpoints.httpEndpoint(text);
    const isBare = URL.parse(text)?.pathname === '/';
    if (!isBare) url.pathname = `${url.pathname.replace(/\/$/, '')}/v1/metrics`;
    return url.href;
  }, httpAllowed);
}

function read(parse: () => string, problem: string): Endpoint {
  try {
    return { url: parse() };
  } catch (error) {
    if (error instanceof endpoints.EndpointError) return { problem };
    throw error;
  }
}
