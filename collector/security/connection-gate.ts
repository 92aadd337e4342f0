import type { Server, Socket } from 'node:net';
import { type ConnectionLimits, rateWindowSeconds } from '../config/limits-config.ts';
import type { AddressBook } from './address-book.ts';
import type { LimitCause, PortExceeded } from './exceeded.ts';
import { TokenBucket } from './token-bucket.ts';

export interface ConnectionGateOptions {
  readonly limits: Pick<
    ConnectionLimits,
    'maxConnections' | 'maxConnectionsPerAddress' | 'maxConnectionRate' | 'maxConnectionRatePerAddress'
  >;
  /** The configuration's section, for the log: `grpc.limits`. */
  readonly section: string;
  readonly addresses: AddressBook;
  readonly exceeded: PortExceeded;
  /** What a client that is not let in is sent before its connection is closed; nothing where it could not read it. */
  readonly answer: Buffer | undefined;
  readonly nowMs?: () => number;
}

/**
 * Counts the connections of a port as they come, before a byte of them is read. What one address may take is looked at first, so that nobody
 * uses up what is for all.
 */
export class ConnectionGate {
  readonly #options: ConnectionGateOptions;
  readonly #nowMs: () => number;
  readonly #newConnections: TokenBucket;
  #connections = 0;

  constructor(options: ConnectionGateOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    const { maxConnectionRate } = options.limits;
    const burst = maxConnectionRate * rateWindowSeconds;
    this.#newConnections = new TokenBucket(maxConnectionRate, burst, this.#nowMs());
  }

  /** Stands before whoever listens for a server's connections by now. */
  guard(server: Server): void {
    const others = server.listeners('connection');
    server.removeAllListeners('connection');
    server.on('connection', (socket: Socket) => {
      if (!this.#letIn(socket)) return;
      for (const other of others) Reflect.apply(other, server, [socket]);
    });
  }

  #letIn(socket: Socket): boolean {
    const { addresses, exceeded, answer } = this.#options;
    const nowMs = this.#nowMs();
    const { remoteAddress, remotePort } = socket;
    const found = this.#problem(remoteAddress, nowMs);
    if (found !== undefined) {
      exceeded.exceeded(found.cause, `${remoteAddress}:${remotePort}`, found.reason);
      turnAway(socket, answer);
      return false;
    }
    const use = addresses.use(remoteAddress, nowMs);
    use.connections++;
    this.#connections++;
    socket.once('close', () => {
      use.connections--;
      this.#connections--;
    });
    return true;
  }

  #problem(address: string | undefined, nowMs: number): Problem | undefined {
    const { addresses, limits, section } = this.#options;
    // An address that is let in is in the book from here on; one that never was leaves no trace there.
    const known = addresses.known(address);
    if (known !== undefined && known.connections >= limits.maxConnectionsPerAddress)
      return {
        cause: 'connections_per_address',
        reason: `this address has ${known.connections} connections (${section}.max_connections_per_address)`,
      };
    if (known !== undefined && !known.newConnections.take(nowMs))
      return {
        cause: 'connection_rate_per_address',
        reason: `this address makes more than ${limits.maxConnectionRatePerAddress} connections a second (${section}.max_connection_rate_per_address)`,
      };
    if (this.#connections >= limits.maxConnections)
      return {
        cause: 'connections',
        reason: `there are ${this.#connections} connections (${section}.max_connections)`,
      };
    if (!this.#newConnections.take(nowMs))
      return {
        cause: 'connection_rate',
        reason: `there are more than ${limits.maxConnectionRate} new connections a second (${section}.max_connection_rate)`,
      };
    if (known === undefined) addresses.use(address, nowMs).newConnections.take(nowMs);
    return undefined;
  }
}

interface Problem {
  readonly cause: LimitCause;
  readonly reason: string;
}

/** Says so in the port's protocol, as far as the socket takes it at once, and closes. */
function turnAway(socket: Socket, answer: Buffer | undefined): void {
  socket.on('error', () => {});
  if (answer === undefined) {
    socket.destroy();
    return;
  }
  socket.end(answer);
  // It has no time to make us wait.
  socket.destroySoon();
}
