import { pointFates } from '../../../otel/state/intake/point-outcome.ts';
import { furtherCauses, type OtlpOutcome } from './otlp-outcome.ts';

/** How requests come. */
export const otlpProtocols = ['grpc', 'http_protobuf', 'http_json'] as const;
export type OtlpProtocol = (typeof otlpProtocols)[number];

/** What a request came to: all of it was taken, some of it was refused, it is none, the collector could not take it then, the collector failed. */
export const requestResults = ['taken', 'partial', 'invalid', 'unavailable', 'failed'] as const;
export type RequestResult = (typeof requestResults)[number];

/** What the receivers of OTLP count, in plain numbers. */
export class OtlpCounters {
  /** By protocol and result, `grpc taken`. */
  readonly requests = zeros(
    otlpProtocols.flatMap((protocol) => requestResults.map((result) => `${protocol} ${result}`)),
  );
  /** Of requests, uncompressed. */
  bytes = 0;
  points = 0;
  /** Points by what became of them: a PointOutcome or another cause of refusal. */
  readonly outcomes = zeros([...Object.keys(pointFates), ...furtherCauses]);
  /** Exemplars that were passed over. */
  exemplars = 0;
  /** Decoding of requests and taking their points in. */
  takeMs = 0;
  /** Times that one identity was found with two processes. */
  identityConflicts = 0;

  request(protocol: OtlpProtocol, result: RequestResult): void {
    add(this.requests, `${protocol} ${result}`, 1);
  }

  taken({ points, exemplars, outcomes, refusals }: OtlpOutcome): void {
    this.points += points;
    this.exemplars += exemplars;
    for (const [outcome, count] of outcomes) add(this.outcomes, outcome, count);
    for (const [cause, refused] of refusals) add(this.outcomes, cause, refused.points);
  }
}

function zeros(keys: readonly string[]): Map<string, number> {
  return new Map(keys.map((key) => [key, 0]));
}

function add(to: Map<string, number>, key: string, count: number): void {
  to.set(key, (to.get(key) ?? 0) + count);
}
