import type http2 from 'node:http2';
import type { Server } from '@grpc/grpc-js';

/** Bytes that a connection, and a stream on it, may send ahead. With HTTP/2's default of 64 KB a connection carries under 1 MiB/s at 40 ms round trip. */
export const receiveWindowBytes = 4 * 1024 * 1024;

/**
 * Widens the receive window of every connection that a bound server accepts. grpc-js has no option for it on servers, so this
 * reaches for the HTTP/2 servers inside; test/collector/receivers/receive-window.test.ts fails when they are no longer there.
 */
export function widenReceiveWindow(server: Server, bytes = receiveWindowBytes): void {
  for (const http2Server of http2Servers(server))
    http2Server.on('session', (session) => {
      session.setLocalWindowSize(bytes);
      session.settings({ initialWindowSize: bytes });
    });
}

/** The HTTP/2 servers inside a bound gRPC server. */
export function http2Servers(server: Server): Iterable<http2.Http2Server> {
  const { http2Servers: servers } = server as unknown as { http2Servers?: Map<http2.Http2Server, unknown> };
  if (!(servers instanceof Map) || servers.size === 0)
    throw new Error('this version of @grpc/grpc-js does not show its HTTP/2 servers');
  return servers.keys();
}
