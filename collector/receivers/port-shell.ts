import type { Http2Server, Http2Session, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { GrpcConfig } from '../config/collector-config.ts';
import { rateWindowSeconds } from '../config/limits-config.ts';
import { AddressBook } from '../security/address-book.ts';
import { clientAddress } from '../security/client-address.ts';
import { ConnectionGate } from '../security/connection-gate.ts';
import type { PortExceeded } from '../security/exceeded.ts';
import { BufferBudget } from './buffer-budget.ts';
import { watchConnections } from './connection-watch.ts';
import { FairQueue } from './fair-queue.ts';
import { goAwayFrames } from './go-away-frames.ts';
import type { Http2CallOptions } from './http2-call.ts';
import { StreamLimits, type StreamProblem } from './stream-limits.ts';

/** Of the runtime's four threads one is left to what else needs them, as files do. */
const decompressionsAtOnce = 3;
/** A connection on which so many streams were refused is ended. */
const maxRefusedStreams = 100;

/** All that keeps strangers on the gRPC port within bounds, before their messages are looked at. */
export class PortShell {
  readonly #config: GrpcConfig;
  readonly #exceeded: PortExceeded;
  readonly #isTls: boolean;
  readonly #addresses: AddressBook;
  readonly #streams: StreamLimits;
  readonly #budget: BufferBudget;
  readonly #decompressions = new FairQueue(decompressionsAtOnce);
  readonly #refused = new WeakMap<Http2Session, number>();

  constructor(config: GrpcConfig, isTls: boolean, exceeded: PortExceeded) {
    this.#config = config;
    this.#isTls = isTls;
    this.#exceeded = exceeded;
    const { portLimits } = config;
    this.#addresses = new AddressBook({
      connections: portLimits.maxConnectionRatePerAddress,
      streams: portLimits.maxStreamRatePerAddress,
      windowSeconds: rateWindowSeconds,
    });
    this.#streams = new StreamLimits(portLimits, this.#addresses);
    this.#budget = new BufferBudget(portLimits, this.#addresses);
  }

  /** Stands before whoever listens for a server's connections by now. @param onAge the agents of a connection are to leave it */
  guard(server: Http2Server, onAge: (session: Http2Session) => void): void {
    const { portLimits, maxConnectionAgeMs, maxConnectionAgeGraceMs } = this.#config;
    const gate = new ConnectionGate({
      limits: portLimits,
      section: 'grpc.limits',
      addresses: this.#addresses,
      exceeded: this.#exceeded,
      // Who is in a TLS handshake could not read it.
      answer: this.#isTls ? undefined : goAwayFrames('connections are over a limit: try again later'),
    });
    gate.guard(server);
    watchConnections(server, {
      limits: portLimits,
      maxAgeMs: maxConnectionAgeMs,
      maxAgeGraceMs: maxConnectionAgeGraceMs,
      onAge,
      exceeded: this.#exceeded,
    });
  }

  /** Counts a stream, and gives why it is refused. */
  problem(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, cost = 1): StreamProblem | undefined {
    const problem = this.#streams.problem(stream, headers, cost);
    if (problem === undefined) return undefined;
    const { session } = stream;
    this.#exceeded.exceeded(problem.cause, peerOf(stream), problem.reason);
    if (session === undefined || session.destroyed) return problem;
    const refused = (this.#refused.get(session) ?? 0) + 1;
    this.#refused.set(session, refused);
    // The last of its streams is answered first.
    if (refused >= maxRefusedStreams) session.close();
    return problem;
  }

  /** For one stream's call. */
  callOptions(
    stream: ServerHttp2Stream,
  ): Pick<Http2CallOptions, 'maxReportRate' | 'share' | 'decompress' | 'exceeded'> {
    const address = stream.session?.socket?.remoteAddress;
    return {
      maxReportRate: this.#config.portLimits.maxReportRate,
      share: this.#budget.share(address),
      decompress: (job) => this.#decompressions.run(clientAddress(address), job),
      exceeded: this.#exceeded,
    };
  }
}

function peerOf(stream: ServerHttp2Stream): string {
  const { remoteAddress, remotePort } = stream.session?.socket ?? {};
  return `${remoteAddress}:${remotePort}`;
}
