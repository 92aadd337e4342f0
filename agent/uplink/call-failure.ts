import { status } from '@grpc/grpc-js';
import { plainDetails } from '../../otel/export/grpc-details.ts';

/** Why a stream ended or never came to be, in words for the log. */
export interface CallFailure {
  /** The gRPC status code. */
  readonly code: number;
  /** What happened, and what helps where something does. */
  readonly message: string;
  /** Trying again changes nothing until a person has changed something. */
  readonly needsPeople: boolean;
}

/**
 * Translates the end of a call.
 * @param endpoint as configured, for the sentence
 * @param details of the gRPC status
 */
export function callFailure(code: number, details: string, endpoint: string, memberId: string): CallFailure {
  const said = plainDetails(details).replace(/\s+/g, ' ').trim() || `status ${statusName(code)}`;
  switch (code) {
    case status.OK:
      return { code, message: `${endpoint} ended the stream`, needsPeople: false };
    case status.ALREADY_EXISTS:
      return {
        code,
        message: `${endpoint} has turned this agent away, agent_id ${JSON.stringify(memberId)}: ${said}`,
        needsPeople: true,
      };
    case status.UNAUTHENTICATED:
      return {
        code,
        message: `${endpoint} does not accept this agent's credentials: ${said}`,
        needsPeople: true,
      };
    case status.PERMISSION_DENIED:
      return {
        code,
        message: `${endpoint} does not permit this agent: ${said}`,
        needsPeople: true,
      };
    case status.UNIMPLEMENTED:
      return {
        code,
        message: `${endpoint} answers, but does not serve streamgauge.v1.TelemetryStream: ${said}. Check that the address is a streamgauge collector's gRPC port`,
        needsPeople: true,
      };
    case status.INVALID_ARGUMENT:
      return { code, message: `${endpoint} refused what the agent sent: ${said}`, needsPeople: true };
    case status.RESOURCE_EXHAUSTED:
      return { code, message: `a limit was reached at ${endpoint}: ${said}`, needsPeople: false };
    case status.FAILED_PRECONDITION:
      return { code, message: `cannot connect to ${endpoint}: ${said}`, needsPeople: false };
    case status.UNAVAILABLE: {
      const hint = tlsHint(said);
      if (hint === undefined) {
        // A connection came to be and ended before HTTP/2 did.
        const more = /Last error: Failed to connect \(/.test(said)
          ? '; if it speaks TLS, put https:// before the endpoint'
          : '';
        return { code, message: `${endpoint} cannot be reached: ${said}${more}`, needsPeople: false };
      }
      return { code, message: `no TLS connection to ${endpoint}: ${said}; ${hint}`, needsPeople: true };
    }
    default:
      return {
        code,
        message: `the stream to ${endpoint} failed with ${statusName(code)}: ${said}`,
        needsPeople: false,
      };
  }
}

/** What helps where TLS does not come to be; `undefined` when it is not TLS that failed. */
function tlsHint(said: string): string | undefined {
  return tlsHints.find(([sign]) => sign.test(said))?.[1];
}

/** The texts are OpenSSL's and Node's. */
const tlsHints: readonly (readonly [RegExp, string])[] = [
  [
    /altnames/i,
    "the collector's certificate is for another name: connect to that one, or name it in collector.tls.server_name",
  ],
  [/certificate has expired|CERT_HAS_EXPIRED/i, "the collector's certificate has expired: renew it there"],
  [
    /certificate is not yet valid|CERT_NOT_YET_VALID/i,
    "the collector's certificate is not valid yet: compare the clocks",
  ],
  [
    /signature failure|self[- ]signed certificate|unable to (verify|get)|DEPTH_ZERO|UNABLE_TO/i,
    'no authority that is known here has signed the certificate of the collector: name the right one in collector.tls.ca_file',
  ],
  [
    /wrong version number|packet length too long/i,
    'the collector speaks no TLS there: give it tls, or send without TLS (grpc://, or insecure: true)',
  ],
  [/\balert\b/i, 'the collector ended TLS: its log says why'],
];

function statusName(code: number): string {
  return status[code] ?? String(code);
}
