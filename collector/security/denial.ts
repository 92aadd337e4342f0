import { InvalidDataError } from '../../proto/error.ts';

/**
 * Why somebody was not let in:
 * - `handshake`: no TLS connection came to be.
 * - `certificate_missing`, `certificate_expired`, `certificate_invalid`: of the client's certificate.
 * - `certificate_unknown`: it verifies, and no entry of `auth.clients` is for one of its names.
 * - `token_missing`, `token_invalid`.
 * - `permission`: what was presented does not permit this.
 * - `agent_id`: it does not permit to speak for this member.
 * - `resource`: it does not permit these attributes of a resource.
 */
export const denialCauses = [
  'handshake',
  'certificate_missing',
  'certificate_expired',
  'certificate_invalid',
  'certificate_unknown',
  'token_missing',
  'token_invalid',
  'permission',
  'agent_id',
  'resource',
] as const;
export type DenialCause = (typeof denialCauses)[number];

/** A peer that is not let in. `reason` is a sentence for the peer and for the log: it never holds what the peer presented. */
export interface Denial {
  readonly cause: DenialCause;
  readonly reason: string;
  /** Whom the credentials are for, as far as they could be checked: the name of a certificate, of an entry of tokens. For the log only. */
  readonly who: string;
}

const unauthenticated: ReadonlySet<DenialCause> = new Set([
  'handshake',
  'certificate_missing',
  'certificate_expired',
  'certificate_invalid',
  'token_missing',
  'token_invalid',
]);

/** Whether it is not known who the peer is (UNAUTHENTICATED, 401); else it is, and may not do this (PERMISSION_DENIED, 403). */
export function isUnauthenticated({ cause }: Denial): boolean {
  return unauthenticated.has(cause);
}

/** Something within a stream that its credentials do not permit. Ends the stream. */
export class DeniedError extends InvalidDataError {
  override readonly name = 'DeniedError';
  readonly denial: Denial;

  constructor(denial: Denial, fieldPath: string) {
    super(denial.reason, { fieldPath });
    this.denial = { ...denial, reason: this.message };
  }
}
