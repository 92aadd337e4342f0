/** What a sink does with one request. */
export type Fault =
  /** Takes it. */
  | 'ok'
  /** UNAVAILABLE, 503. */
  | 'unavailable'
  /** INVALID_ARGUMENT, 400: the same bytes would fail again. */
  | 'invalid'
  /** RESOURCE_EXHAUSTED with RetryInfo, 429 with Retry-After. */
  | { readonly throttleMs: number }
  /** Takes it, and says that so many points were rejected. */
  | { readonly rejected: number; readonly message: string }
  /** Takes it, and says so after so long. */
  | { readonly lateMs: number }
  /** Takes the bytes and never answers. */
  | 'hang'
  /** Ends the connection in the middle. */
  | 'close'
  /** Answers with bytes that are no answer. */
  | 'garbage';

/** The fault for each request, by its number from 0. */
export type FaultPlan = (request: number) => Fault;

/** These faults for the first requests, `ok` from then on. */
export function faults(...list: readonly Fault[]): FaultPlan {
  return (request) => list[request] ?? 'ok';
}

/** Whether the request's points count as received. */
export function isTaken(fault: Fault): boolean {
  return fault === 'ok' || fault === 'garbage' || (typeof fault === 'object' && !('throttleMs' in fault));
}
