import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { Direction, type Pace } from './direction.ts';
import { resetConnection } from './reset-connection.ts';

/**
 * A transparent TCP proxy on 127.0.0.1 that counts the payload of both directions and, on request, spoils the connection: cuts it,
 * delays it, stops it, refuses new ones.
 */
export class TcpProxy {
  /** Payload bytes from those who connect to the target, since the last {@link resetCounts}. */
  bytesUp = 0;
  /** Payload bytes from the target to those who connect. */
  bytesDown = 0;
  /** Connections accepted and handed on so far. */
  connections = 0;
  /** New connections are closed at once while this is true. */
  refusing = false;
  /** Every byte is handed on this much later than it came, in each direction. */
  delayMs = 0;
  /** No connection carries more than this, in each direction. */
  bytesPerSecond = Infinity;
  /** What comes is kept from the beginning of each new connection on, for {@link duplicate}. */
  recording = false;
  /** Of the server on 127.0.0.1 that new connections are handed on to. */
  targetPort: number;
  readonly #server: Server;
  readonly #open = new Set<Connection>();
  readonly #stranded = new Set<Socket>();
  #held = false;

  /** @param targetPort of the server on 127.0.0.1 that connections are handed on to. */
  constructor(targetPort: number) {
    this.targetPort = targetPort;
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
  }

  /** Listens on a free port, or on the one given; resolves to it. */
  async listen(port = 0): Promise<number> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    return this.port;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections that are open now. */
  get openConnections(): number {
    return this.#open.size;
  }

  resetCounts(): void {
    this.bytesUp = 0;
    this.bytesDown = 0;
  }

  /** Breaks every open connection on both sides with a reset; what was on its way is lost. */
  cut(): void {
    for (const connection of [...this.#open]) connection.reset();
  }

  /**
   * Breaks every open connection on the side of those who connected; the target hears nothing of it, and its side stays open and
   * silent until {@link close}: half-open, as after a crash or when something between forgets a connection.
   */
  strand(): void {
    for (const connection of [...this.#open]) connection.strand();
  }

  /**
   * Hands nothing more on over the connections that are open now, until {@link resume}; they stay open on both sides, and new ones
   * are served: as when something between forgets a connection.
   */
  silence(): void {
    for (const connection of this.#open) connection.hold(true);
  }

  /**
   * Says everything that was said over one of the recorded connections that are open once more, over a connection of its own, whose answers nobody hears: as a network
   * that delivers twice. Cut off after so long. Resolves with whether there was one.
   */
  async duplicate(forMs: number): Promise<boolean> {
    const recorded = [...this.#open].findLast((connection) => connection.recorded !== undefined)?.recorded;
    if (recorded === undefined) return false;
    const twin = connect({ port: this.targetPort, host: '127.0.0.1' });
    this.#stranded.add(twin);
    twin.on('error', () => {});
    twin.resume();
    for (const chunk of recorded) twin.write(chunk);
    const closed = once(twin, 'close').catch(() => undefined);
    const timer = setTimeout(() => resetConnection(twin), forMs);
    await closed;
    clearTimeout(timer);
    this.#stranded.delete(twin);
    return true;
  }

  /** Hands nothing on, in either direction, until {@link resume}; connections stay open, new ones too. */
  hold(): void {
    this.#held = true;
    for (const connection of this.#open) connection.hold(true);
  }

  resume(): void {
    this.#held = false;
    for (const connection of this.#open) connection.hold(false);
  }

  /** Cuts everything and stops listening. Safe when repeated. */
  async close(): Promise<void> {
    this.cut();
    for (const socket of this.#stranded) resetConnection(socket);
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    if (this.refusing) {
      client.on('error', () => {});
      resetConnection(client);
      return;
    }
    this.connections++;
    const target = connect({ port: this.targetPort, host: '127.0.0.1', allowHalfOpen: true });
    const pace = (): Pace => this;
    const recorded: Buffer[] | undefined = this.recording ? [] : undefined;
    const up = new Direction(client, target, pace, (chunk) => {
      this.bytesUp += chunk.length;
      recorded?.push(chunk);
    });
    const down = new Direction(target, client, pace, (chunk) => {
      this.bytesDown += chunk.length;
    });
    const sockets = [client, target];
    let isStranded = false;
    const connection: Connection = {
      recorded,
      reset: () => {
        if (isStranded) return;
        for (const socket of sockets) resetConnection(socket);
      },
      strand: () => {
        isStranded = true;
        this.#open.delete(connection);
        this.#stranded.add(target);
        target.once('close', () => this.#stranded.delete(target));
        up.stop();
        down.stop();
        resetConnection(client);
      },
      hold: (held) => {
        up.held = held;
        down.held = held;
      },
    };
    this.#open.add(connection);
    connection.hold(this.#held);
    for (const socket of sockets) {
      socket.setNoDelay(true);
      // An error on one side is a reset on the other; 'close' follows it.
      socket.on('error', () => {});
      socket.once('close', (hadError: boolean) => {
        if (hadError) connection.reset();
        if (sockets.every((each) => each.destroyed)) {
          up.stop();
          down.stop();
          this.#open.delete(connection);
        }
      });
    }
  }
}

interface Connection {
  readonly recorded: readonly Buffer[] | undefined;
  reset(): void;
  strand(): void;
  hold(held: boolean): void;
}
