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
  const said = plainDetails(details) || `status ${statusName(code)}`;
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
        message: `${endpoint} asks for credentials, and this agent has none to give: ${said}`,
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
    case status.UNAVAILABLE:
      return { code, message: `${endpoint} cannot be reached: ${said}`, needsPeople: false };
    default:
      return {
        code,
        message: `the stream to ${endpoint} failed with ${statusName(code)}: ${said}`,
        needsPeople: false,
      };
  }
}

function statusName(code: number): string {
  return status[code] ?? String(code);
}
