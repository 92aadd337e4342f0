import { bareHost, hostPort, isHost, isLoopback } from '../../otel/config/addresses.ts';

/** A collector's address as `HOST:PORT`, or a sentence about what is allowed. */
export type CollectorEndpoint =
  | {
      readonly endpoint: string;
      readonly host: string;
      /** What the scheme says of TLS; `undefined` without one. */
      readonly isTls: boolean | undefined;
    }
  | { readonly problem: string };

const defaultPort = 4317;
const allowed = 'allowed: HOST:PORT, https://HOST:PORT or http://HOST:PORT, like 127.0.0.1:4317';

/** Reads `HOST`, `HOST:PORT`, `[IPV6]:PORT`, each with `https://`, `grpcs://`, `http://` or `grpc://` before it or not. Without a port it is 4317. */
export function collectorEndpoint(text: string): CollectorEndpoint {
  const match = /^(?:(https?|grpcs?):\/\/)?(\[[^\]]+\]|[^:/[\]]+)(?::(\d{1,5}))?\/?$/i.exec(text.trim());
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  if (match === null || !isHost(match[2]!) || port < 1 || port > 65_535) return { problem: allowed };
  const host = bareHost(match[2]!);
  const isTls = match[1] === undefined ? undefined : /s$/i.test(match[1]);
  return { endpoint: hostPort(host, port), host, isTls };
}

/** What is said of TLS beside an endpoint. */
export interface EndpointTls {
  readonly insecure: boolean;
  /** Keys of `tls` are given. */
  readonly hasTls: boolean;
}

/**
 * Whether a connection has TLS, or a sentence about what contradicts itself: another machine is sent to with TLS unless `insecure` says
 * otherwise; this one without, unless scheme or keys ask for it.
 */
export function usesTls(
  { host, isTls }: { readonly host: string; readonly isTls: boolean | undefined },
  { insecure, hasTls }: EndpointTls,
): boolean | { readonly problem: string } {
  if (insecure && isTls === true)
    return { problem: 'insecure: true asks for no TLS; allowed: either of the two' };
  if (insecure && hasTls) return { problem: 'insecure: true beside tls; allowed: either of the two' };
  if (isTls === false && hasTls)
    return {
      problem: 'it asks for no TLS, and there is tls beside it; allowed: https://HOST:PORT, or no tls',
    };
  if (isTls === false && !insecure && !isLoopback(host))
    return {
      problem:
        'not on this machine, and it asks for no TLS; allowed: https://HOST:PORT, or insecure: true beside it',
    };
  return isTls ?? (hasTls || (!insecure && !isLoopback(host)));
}
