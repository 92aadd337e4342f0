import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';

/** A backend that means harm, by what it sends. */
export interface HostileBackend {
  readonly url: string;
  /** What was written to clients, bytes. */
  sentBytes(): number;
  /** Requests that came. */
  requests(): number;
}

async function listening(t: ExecutionContext, server: Server, sockets: ReadonlySet<Socket>) {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Speaks gRPC's HTTP/2 and then does what it is told with each stream, once the request has come. */
export async function hostileGrpc(
  t: ExecutionContext,
  act: (stream: ServerHttp2Stream) => void,
): Promise<HostileBackend> {
  const sockets = new Set<Socket>();
  let requests = 0;
  const server = createHttp2Server();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.on('sessionError', () => {});
  server.on('stream', (stream) => {
    stream.on('error', () => {});
    stream.resume();
    stream.on('end', () => {
      requests++;
      act(stream);
    });
  });
  const url = await listening(t, server as unknown as Server, sockets);
  return { url, sentBytes: () => sentBytes(sockets), requests: () => requests };
}

/** Reads a request's head, and then does what it is told with the socket. */
export async function hostileHttp(
  t: ExecutionContext,
  act: (socket: Socket) => void,
): Promise<HostileBackend> {
  const sockets = new Set<Socket>();
  let requests = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      if (!bytes.includes('POST /v1/metrics')) return;
      requests++;
      act(socket);
    });
  });
  const url = await listening(t, server, sockets);
  return { url: `${url}/v1/metrics`, sentBytes: () => sentBytes(sockets), requests: () => requests };
}

function sentBytes(sockets: Iterable<Socket>): number {
  let sum = 0;
  for (const { bytesWritten } of sockets) sum += bytesWritten;
  return sum;
}

interface Sink {
  readonly destroyed: boolean;
  readonly writable: boolean;
  write(bytes: Uint8Array | string): boolean;
  once(event: 'drain', listener: () => void): unknown;
}

/** Writes for as long as somebody reads. */
export function writeForEver(to: Sink, bytes: Uint8Array | string): void {
  const go = (): void => {
    while (to.writable && !to.destroyed) if (!to.write(bytes)) break;
    if (to.writable && !to.destroyed) to.once('drain', go);
  };
  go();
}

/** Writes a byte every 20 ms, for as long as somebody reads. */
export function writeSlowly(to: Sink, byte = '0'): void {
  const timer = setInterval(() => {
    if (to.writable && !to.destroyed) to.write(byte);
    else clearInterval(timer);
  }, 20);
  timer.unref();
}
