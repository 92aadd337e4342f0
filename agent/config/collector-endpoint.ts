import { bareHost, hostPort, isHost, isLoopback } from '../../otel/config/addresses.ts';

/** A collector's address as `HOST:PORT`, or a sentence about what is allowed. */
export type CollectorEndpoint =
  | { readonly endpoint: string; readonly host: string }
  | { readonly problem: string };

const defaultPort = 4317;
const allowed = 'allowed: HOST:PORT, http://HOST:PORT or grpc://HOST:PORT, like 127.0.0.1:4317';

/** Reads `HOST`, `HOST:PORT`, `[IPV6]:PORT`, each with `http://` or `grpc://` before it or not. Without a port it is 4317. */
export function collectorEndpoint(text: string): CollectorEndpoint {
  if (/^(https|grpcs):\/\//i.test(text)) {
    return {
      problem: 'not supported: TLS comes in a later release; allowed: grpc://HOST:PORT with insecure: true',
    };
  }
  const match = /^(?:(?:http|grpc):\/\/)?(\[[^\]]+\]|[^:/[\]]+)(?::(\d{1,5}))?\/?$/i.exec(text.trim());
  const port = match?.[2] === undefined ? defaultPort : Number(match[2]);
  if (match === null || !isHost(match[1]!) || port < 1 || port > 65_535) return { problem: allowed };
  const host = bareHost(match[1]!);
  return { endpoint: hostPort(host, port), host };
}

/** What is wrong with connecting to a host without TLS, or `undefined`. */
export function insecureProblem(host: string, insecure: boolean): string | undefined {
  if (insecure || isLoopback(host)) return undefined;
  return 'not on this machine, and there is no TLS yet';
}
