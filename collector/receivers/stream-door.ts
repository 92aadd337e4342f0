import type { Http2SecureServer, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { Permission } from '../config/auth-config.ts';
import type { Admission } from '../security/access.ts';
import type { Denial } from '../security/denial.ts';
import { type Incoming, type PortGuard, refusalStatus } from '../security/port-guard.ts';
import type { AgentCall } from './agent-call.ts';
import { isGrpc } from './serve-path.ts';

/** A connection that may not be used has this long to ask for something and be told so. */
const unwantedMs = 10_000;

/** Asks each HTTP/2 stream of a gRPC port what its connection and headers present, before anything else sees it. */
export class StreamDoor {
  readonly #guard: PortGuard;
  readonly #callOf: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => AgentCall;

  /** @param callOf the call of a stream, to end it with a status */
  constructor(
    guard: PortGuard,
    callOf: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => AgentCall,
  ) {
    this.#guard = guard;
    this.#callOf = callOf;
  }

  /** Tells of handshakes that fail, and ends connections that may not be used and ask for nothing. */
  watch(server: Http2SecureServer): void {
    server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      this.#guard.handshakeFailed(error, addressOf(socket));
    });
    if (!this.#guard.asksClients) return;
    server.on('session', (session) => {
      if ((session.socket as { authorized?: boolean }).authorized === true) return;
      const timer = setTimeout(() => session.destroy(), unwantedMs);
      timer.unref();
      session.once('close', () => clearTimeout(timer));
    });
  }

  admit(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, permission: Permission): Admission {
    return this.#guard.admit(incoming(stream, headers), permission);
  }

  /** Whether a stream that needs no permission may go on; one that may not has been ended. */
  isConnectionLetIn(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): boolean {
    const denial = this.#guard.connection(incoming(stream, headers));
    if (denial === undefined) return true;
    if (isGrpc(stream, headers)) this.refuse(stream, this.#callOf(stream, headers), denial);
    return false;
  }

  /** Ends a call, and no further one is taken on a connection that may not be used. Gives the cause of the stream's end. */
  refuse(stream: ServerHttp2Stream, call: AgentCall, denial: Denial): 'unauthenticated' | 'denied' {
    const { grpc } = refusalStatus(denial);
    call.end(grpc, denial.reason);
    if (denial.cause.startsWith('certificate')) stream.session?.close();
    return grpc === 16 ? 'unauthenticated' : 'denied';
  }
}

function incoming(stream: ServerHttp2Stream, { authorization }: IncomingHttpHeaders): Incoming {
  const { session } = stream;
  // A stream whose connection is gone by now presents nothing.
  const socket = session?.socket ?? {};
  return { connection: session ?? stream, socket, address: addressOf(socket as Socket), authorization };
}

function addressOf({ remoteAddress = 'unknown', remotePort }: Partial<Socket>): string {
  return remotePort === undefined ? remoteAddress : `${remoteAddress}:${remotePort}`;
}
