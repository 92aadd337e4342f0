import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { Denial } from './denial.ts';

/** The names of a client, from a certificate that was verified. */
export interface CertificateNames {
  readonly dns: readonly string[];
  readonly uris: readonly string[];
}

/** A certificate that was verified, or why it was not. */
export type PeerCertificate =
  | { readonly names: CertificateNames; readonly validToMs: number }
  | { readonly denial: Denial };

/** What of a socket, or of HTTP/2's stand-in for one, is looked at. */
type PeerSocket = Pick<
  TLSSocket,
  'authorized' | 'authorizationError' | 'getPeerX509Certificate' | 'isSessionReused'
>;

/**
 * The one place where a client's certificate becomes an identity. There is none unless the handshake of this very connection has verified it:
 * TLS lets a connection come to be without, and calls a resumed one authorized by what was verified before.
 */
export function peerCertificate(socket: PeerSocket): PeerCertificate {
  const certificate = socket.getPeerX509Certificate?.();
  if (certificate === undefined)
    return deny(
      'certificate_missing',
      'a client certificate is asked for, and none came: give the client cert_file and key_file',
    );
  const validToMs = certificate.validToDate.getTime();
  const error = String(socket.authorizationError ?? '');
  if (error === 'CERT_HAS_EXPIRED' || validToMs < Date.now())
    return deny(
      'certificate_expired',
      `the client certificate expired at ${certificate.validToDate.toISOString()}: renew it`,
    );
  if (socket.authorized !== true || socket.isSessionReused())
    return deny(
      'certificate_invalid',
      `the client certificate does not verify (${error === '' ? 'its session was resumed' : error}): it has to be signed by an authority in client_ca_file`,
    );
  return { names: certificateNames(certificate), validToMs };
}

function deny(cause: Denial['cause'], reason: string): { denial: Denial } {
  return { denial: { cause, reason, who: '' } };
}

/** DNS names and URIs of the subject alternative name. The common name is no name: nothing says what it may hold. */
export function certificateNames({
  subjectAltName = '',
}: Pick<X509Certificate, 'subjectAltName'>): CertificateNames {
  const dns: string[] = [];
  const uris: string[] = [];
  // Node writes `TYPE:VALUE, TYPE:VALUE`, and a value that could be taken for more than one as a JSON string.
  const entry = /(DNS|URI|[A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/gy;
  for (let match = entry.exec(subjectAltName); match !== null; match = entry.exec(subjectAltName)) {
    const [, type, raw = ''] = match;
    const value = raw.startsWith('"') ? unquoted(raw) : raw;
    if (value === undefined || value === '') continue;
    if (type === 'DNS') dns.push(value);
    else if (type === 'URI') uris.push(value);
  }
  return { dns, uris };
}

function unquoted(text: string): string | undefined {
  try {
    return String(JSON.parse(text));
  } catch {
    return undefined;
  }
}
