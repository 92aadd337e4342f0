import type { Http2Server } from 'node:http2';
import type { Socket } from 'node:net';

/** A peer has so long to end a connection that we have ended. */
const endTimeoutMs = 10_000;

/**
 * The TCP connections of a server. An HTTP/2 session that is closed in order ends its side of the connection and waits for the peer's, which never comes where the
 * peer is gone without a word or does not mean to: such a connection would hold its memory, and the process at its end, for ever.
 */
export class OpenSockets {
  readonly #sockets = new Set<Socket>();
  readonly #endTimeoutMs: number;

  constructor(timeoutMs = endTimeoutMs) {
    this.#endTimeoutMs = timeoutMs;
  }

  get size(): number {
    return this.#sockets.size;
  }

  /** Of all connections that the server accepts from here on. */
  watch(server: Http2Server): void {
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      let timer: NodeJS.Timeout | undefined;
      socket.once('finish', () => {
        timer = setTimeout(() => socket.destroy(), this.#endTimeoutMs);
        timer.unref();
      });
      socket.once('close', () => {
        clearTimeout(timer);
        this.#sockets.delete(socket);
      });
    });
  }

  /** Called when all sessions have been ended: what is still open after so long is cut off. Resolves when none is open. */
  async end(graceMs: number): Promise<void> {
    if (this.#sockets.size === 0) return;
    const timer = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, graceMs);
    await Promise.all([...this.#sockets].map((socket) => closed(socket)));
    clearTimeout(timer);
  }
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });
}
