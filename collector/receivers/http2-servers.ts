import type { Http2Server } from 'node:http2';
import type { Server } from '@grpc/grpc-js';

/**
 * The HTTP/2 servers inside a bound gRPC server, one for each address; none when this version of grpc-js does not show them, which
 * test/collector/receivers/http2-servers.test.ts would fail on. This is the one place that knows grpc-js from inside: what is done with
 * these servers is Node's public API.
 */
export function http2ServersOf(server: Server): readonly Http2Server[] {
  const { http2Servers } = server as unknown as { http2Servers?: unknown };
  if (!(http2Servers instanceof Map)) return [];
  return [...http2Servers.keys()].filter(isHttp2Server);
}

function isHttp2Server(value: unknown): value is Http2Server {
  const { listenerCount, address } = (value ?? {}) as Partial<Http2Server>;
  // gRPC's own handler of streams is the only one.
  return (
    typeof address === 'function' &&
    typeof listenerCount === 'function' &&
    (value as Http2Server).listenerCount('stream') === 1
  );
}
