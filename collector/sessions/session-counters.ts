/**
 * Why a stream came to its end: the agent said goodbye or half-closed, its id is another's, another stream took its place, it broke the
 * protocol, it is over a limit, it did not say hello in time, the collector stops or cannot keep up, it is not known who the agent is, or what it presented does
 * not permit what it does.
 */
export type EndCause =
  | 'goodbye'
  | 'half_closed'
  | 'clone'
  | 'displaced'
  | 'invalid'
  | 'limit'
  | 'deadline'
  | 'draining'
  | 'overloaded'
  | 'unauthenticated'
  | 'denied';

/** What the sessions count, in plain fields: the hot path adds to them, and the collector's own metrics read them. */
export class SessionCounters {
  /** Streams that were welcomed. */
  streamsWelcomed = 0;
  readonly streamsEnded: Record<EndCause, number> = {
    goodbye: 0,
    half_closed: 0,
    clone: 0,
    displaced: 0,
    invalid: 0,
    limit: 0,
    deadline: 0,
    draining: 0,
    overloaded: 0,
    unauthenticated: 0,
    denied: 0,
  };
  reports = 0;
  /** Points in reports, unchanged ones included. */
  points = 0;
  /** Values in reports that were not those of the report before. */
  changedValues = 0;
  /** Bytes of messages, without gRPC's and HTTP/2's framing. */
  receivedBytes = 0;
  sentBytes = 0;
  acks = 0;
  /** Decoding and merging of reports. */
  mergeMs = 0;
  maxMergeMs = 0;
  seriesDefined = 0;
  seriesRetired = 0;
  /** First values that merging views set aside. */
  baselines = 0;
  /** Points that were not taken, by cause. */
  readonly refusedPoints = { epoch_fell: 0, not_finite: 0, negative: 0, out_of_range: 0 };
  /** Series that were not taken, by cause. */
  readonly refusedSeries = { invalid: 0, limit: 0, epoch_old: 0 };
  /** Members that were silent for too long, and members freed after that. */
  membersStale = 0;
  membersEvicted = 0;
}
