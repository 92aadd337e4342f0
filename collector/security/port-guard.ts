import type { Permission } from '../config/auth-config.ts';
import { type Access, type Admission, connectionCertificate } from './access.ts';
import { type Denial, isUnauthenticated } from './denial.ts';
import type { Denials } from './denials.ts';

/** A request or stream, as it came in. */
export interface Incoming {
  /** What stands for its connection as long as that lives. */
  readonly connection: object;
  /** The connection's TLS socket, where there is TLS. */
  readonly socket: unknown;
  /** The peer's address and port. */
  readonly address: string;
  /** The header `authorization`. */
  readonly authorization: string | undefined;
}

export interface PortGuardOptions {
  /** The port, for the log: `grpc`, `http`, `admin`, `prometheus`. */
  readonly port: string;
  /** Whether its clients have to present certificates. */
  readonly asksClients: boolean;
  readonly access: Access;
  readonly denials: Denials;
}

/** Stands at one port: asks what is presented, and counts and logs those who are not let in. */
export class PortGuard {
  readonly #options: PortGuardOptions;

  constructor(options: PortGuardOptions) {
    this.#options = options;
  }

  get asksClients(): boolean {
    return this.#options.asksClients;
  }

  /** Nobody has to present anything here: there is no need to ask. */
  get isOpen(): boolean {
    return !this.asksClients && this.#options.access.isOpen;
  }

  /** Whether the connection may be used at all, for what needs no permission: `undefined` when it may. */
  connection(incoming: Incoming): Denial | undefined {
    const certificate = this.#certificate(incoming);
    if (certificate === undefined || !('denial' in certificate)) return undefined;
    this.denied(incoming, certificate.denial);
    return certificate.denial;
  }

  /** Whether a peer may do something. */
  admit(incoming: Incoming, permission: Permission): Admission {
    const { authorization } = incoming;
    const certificate = this.#certificate(incoming);
    const admission = this.#options.access.admit({ certificate, authorization }, permission);
    if ('denial' in admission) this.denied(incoming, admission.denial);
    return admission;
  }

  /** Somebody was not let in, for a reason found elsewhere. */
  denied({ address }: Pick<Incoming, 'address'>, denial: Denial): void {
    this.#options.denials.denied({ port: this.#options.port, address }, denial);
  }

  /** A connection whose handshake failed. */
  handshakeFailed(error: NodeJS.ErrnoException, address: string): void {
    // Who connects and leaves without a word is a probe of the port more often than not.
    const isQuiet = error.code === 'ECONNRESET';
    const reason = `the TLS handshake failed (${error.code ?? error.message}): ${handshakeHint(error.code ?? '')}`;
    const denial: Denial = { cause: 'handshake', reason, who: '' };
    this.#options.denials.denied({ port: this.#options.port, address }, denial, isQuiet);
  }

  #certificate({ connection, socket }: Incoming) {
    return this.asksClients ? connectionCertificate(connection, socket) : undefined;
  }
}

function handshakeHint(code: string): string {
  if (/HTTP_REQUEST|WRONG_VERSION_NUMBER|PACKET_LENGTH|RECORD/.test(code))
    return 'the peer does not speak TLS';
  if (/UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|PROTOCOL_VERSION/.test(code))
    return 'the peer speaks older versions of TLS only';
  if (/ALERT/.test(code))
    return 'the peer does not take the certificate of this port: give it the right authority and name, or this port a certificate that is valid';
  return 'the peer and this port do not agree';
}

/** The answer in gRPC's and HTTP's words, in one place. */
export function refusalStatus(denial: Denial): { readonly grpc: 7 | 16; readonly http: 401 | 403 } {
  return isUnauthenticated(denial) ? { grpc: 16, http: 401 } : { grpc: 7, http: 403 };
}

/** The header WWW-Authenticate of an answer 401 or 403, after RFC 6750. */
export function challenge(denial: Denial): string {
  const realm = 'Bearer realm="streamgauge"';
  if (denial.cause === 'token_invalid') return `${realm}, error="invalid_token"`;
  if (denial.cause === 'permission') return `${realm}, error="insufficient_scope"`;
  return realm;
}
