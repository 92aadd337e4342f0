import type { Http2Server, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';

/**
 * Takes the streams of one path, those of other paths stay with who listened before. Connections and all that concerns them
 * (keepalive, age, draining, closing) stay with their owner, too. grpc-js counts open calls for its `grpc.max_connection_idle_ms` only,
 * and would not see these, so that option is not to be used beside this.
 * @param isLetIn whether a stream of another path goes to who listened before; where not, it has been answered
 */
export function servePath(
  server: Http2Server,
  path: string,
  serve: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
  isLetIn: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => boolean = () => true,
): void {
  const others = server.listeners('stream');
  server.removeAllListeners('stream');
  server.on('stream', (stream, headers, ...rest) => {
    if (headers[':path'] === path) serve(stream, headers);
    else if (isLetIn(stream, headers))
      for (const other of others) Reflect.apply(other, server, [stream, headers, ...rest]);
  });
}

/** Turns away what does not speak gRPC, as "gRPC over HTTP2" asks. Gives whether the stream may go on. */
export function isGrpc(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): boolean {
  if (headers['content-type']?.startsWith('application/grpc') === true) return true;
  stream.on('error', () => {});
  stream.respond({ ':status': 415 }, { endStream: true });
  return false;
}
