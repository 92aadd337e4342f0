import type { Http2Server } from 'node:http2';

/** Bytes that a connection, and a stream on it, may send ahead. With HTTP/2's default of 64 KB a connection carries under 1 MiB/s at 40 ms round trip. */
export const receiveWindowBytes = 4 * 1024 * 1024;

/** Widens the receive window of every connection that a server accepts from here on; grpc-js has no option for it on servers. */
export function widenReceiveWindow(server: Http2Server, bytes = receiveWindowBytes): void {
  server.on('session', (session) => {
    session.setLocalWindowSize(bytes);
    session.settings({ initialWindowSize: bytes });
  });
}
