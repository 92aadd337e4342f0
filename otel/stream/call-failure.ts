import { plainDetails } from '../export/grpc-details.ts';
import type { EndNames } from './end-names.ts';
import { grpcStatusName, grpcStatus as status } from './grpc-status.ts';

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
 * @param names how the sentences name this end and its settings
 * @param details of the gRPC status
 */
export function callFailure(
  code: number,
  details: string,
  endpoint: string,
  memberId: string,
  names: EndNames,
): CallFailure {
  const { self } = names;
  const said = plainDetails(details).replace(/\s+/g, ' ').trim() || `status ${grpcStatusName(code)}`;
  switch (code) {
    case status.OK:
      return { code, message: `${endpoint} ended the stream`, needsPeople: false };
    case status.ALREADY_EXISTS:
      return {
        code,
        message: `${endpoint} has turned this ${self} away, ${names.memberId} ${JSON.stringify(memberId)}: ${said}`,
        needsPeople: true,
      };
    case status.UNAUTHENTICATED:
      return {
        code,
        message: `${endpoint} does not accept this ${self}'s credentials: ${said}`,
        needsPeople: true,
      };
    case status.PERMISSION_DENIED:
      return {
        code,
        message: `${endpoint} does not permit this ${self}: ${said}`,
        needsPeople: true,
      };
    case status.UNIMPLEMENTED:
      return {
        code,
        message: `${endpoint} answers, but does not serve streamgauge.v1.TelemetryStream: ${said}. Check that the address is a streamgauge collector's gRPC port`,
        needsPeople: true,
      };
    case status.INVALID_ARGUMENT:
      return { code, message: `${endpoint} refused what the ${self} sent: ${said}`, needsPeople: true };
    case status.RESOURCE_EXHAUSTED:
      return { code, message: `a limit was reached at ${endpoint}: ${said}`, needsPeople: false };
    case status.FAILED_PRECONDITION:
      return { code, message: `cannot connect to ${endpoint}: ${said}`, needsPeople: false };
    case status.UNAVAILABLE: {
      const hint = tlsHint(said, names);
      if (hint === undefined) {
        // A connection came to be and ended before HTTP/2 did.
        const more = /Last error: Failed to connect \(/.test(said)
          ? `; if it speaks TLS, ${names.withTls}`
          : '';
        return { code, message: `${endpoint} cannot be reached: ${said}${more}`, needsPeople: false };
      }
      return { code, message: `no TLS connection to ${endpoint}: ${said}; ${hint}`, needsPeople: true };
    }
    default:
      return {
        code,
        message: `the stream to ${endpoint} failed with ${grpcStatusName(code)}: ${said}`,
        needsPeople: false,
      };
  }
}

/** What helps where TLS does not come to be; `undefined` when it is not TLS that failed. */
function tlsHint(said: string, names: EndNames): string | undefined {
  return tlsHints.find(([sign]) => sign.test(said))?.[1](names);
}

/** The texts are OpenSSL's and Node's. */
const tlsHints: readonly (readonly [RegExp, (names: EndNames) => string])[] = [
  [
    /altnames/i,
    ({ serverName }) =>
      `the collector's certificate is for another name: connect to that one, or name it in ${serverName}`,
  ],
  [
    /certificate has expired|CERT_HAS_EXPIRED/i,
    () => "the collector's certificate has expired: renew it there",
  ],
  [
    /certificate is not yet valid|CERT_NOT_YET_VALID/i,
    () => "the collector's certificate is not valid yet: compare the clocks",
  ],
  [
    /signature failure|self[- ]signed certificate|unable to (verify|get)|DEPTH_ZERO|UNABLE_TO/i,
    ({ caFile }) =>
      `no authority that is known here has signed the certificate of the collector: name the right one in ${caFile}`,
  ],
  [
    /wrong version number|packet length too long/i,
    ({ withoutTls }) => `the collector speaks no TLS there: give it tls, or send without TLS (${withoutTls})`,
  ],
  [/\balert\b/i, () => 'the collector ended TLS: its log says why'],
];
