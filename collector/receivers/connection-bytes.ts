import type { Http2Server } from 'node:http2';
import type { Socket } from 'node:net';

/** Counts what goes over the connections of servers: all TCP payload, both ways, framing and acknowledgements included. */
export class ConnectionBytes {
  readonly #open = new Set<Socket>();
  #closed = 0;

  watch(server: Http2Server): void {
    server.on('connection', (socket: Socket) => {
      this.#open.add(socket);
      socket.once('close', () => {
        this.#open.delete(socket);
        this.#closed += socket.bytesRead + socket.bytesWritten;
      });
    });
  }

  /** Connections at present. */
  get connections(): number {
    return this.#open.size;
  }

  /** Bytes since the start. */
  get total(): number {
    let total = this.#closed;
    for (const socket of this.#open) total += socket.bytesRead + socket.bytesWritten;
    return total;
  }
}
