import { type PointOutcome, pointFates } from '../../../otel/state/intake/point-outcome.ts';

/**
 * Why a point is not counted, beyond what PointOutcome says:
 * - `invalid`: a resource, scope, metric or attribute that may not be.
 * - `no_value`: it has none, and does not say that it has none.
 * - `limit`: its member, or all senders of OTLP together, have as many series as they may have.
 * - `held`: a stream reports the series.
 * - `denied`: the credentials do not permit the resource.
 */
export const furtherCauses = ['invalid', 'no_value', 'limit', 'held', 'denied'] as const;
export type RefusalCause = PointOutcome | (typeof furtherCauses)[number];

/** What to do about it, for the sender's log. */
const advice: Readonly<Partial<Record<RefusalCause, string>>> = {
  overlap:
    'the interval overlaps one that was counted: two processes may have one identity, give each a service.instance.id',
  too_late: 'the interval ends before all that are remembered, so it may have been counted',
  epoch_old:
    'the start time is older than that of the points that came before: two processes may have one identity, give each a service.instance.id',
  not_finite: 'a sum or count is no finite number',
  negative: 'a monotonic sum or a count is below zero',
  shape:
    'the counts do not fit the bounds, the quantiles, the count or the sum, or are no whole numbers up to 2^53',
  time: 'the time is missing, beyond the year 2112 or before the start time',
  unknown_series: 'the series was freed while it was reported',
  no_value: 'the point has no value, and no flag that says so',
  held: 'a stream reports this series: send it one way',
};

/** Points of one cause. */
export interface Refusals {
  points: number;
  /** Where the first one was, and why. */
  readonly fieldPath: string;
  readonly reason: string;
}

/** What became of the points of one member in a request. */
export interface MemberOutcome {
  readonly id: string;
  /** The newest of their series, or their first. */
  taken: number;
  /** Such as two processes with one identity would send: of an older start, of an overlapping interval, below what came before. */
  contested: number;
}

/** What became of a request that could be decoded. */
export class OtlpOutcome {
  points = 0;
  exemplars = 0;
  readonly outcomes = new Map<PointOutcome, number>();
  readonly refusals = new Map<RefusalCause, Refusals>();
  readonly members: MemberOutcome[] = [];
  /** Why resources were denied, each sentence once. */
  readonly denials = new Set<string>();

  /** Points that are not counted. */
  get refused(): number {
    let refused = 0;
    for (const { points } of this.refusals.values()) refused += points;
    return refused;
  }

  count(outcome: PointOutcome, points = 1): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + points);
  }

  /** @param where the path of the first of them; asked for when it is told */
  refuse(cause: RefusalCause, points: number, where: () => string, reason = advice[cause] ?? ''): void {
    const known = this.refusals.get(cause);
    if (known !== undefined) known.points += points;
    else this.refusals.set(cause, { points, fieldPath: where(), reason });
  }

  /** For the sender: how many, of which cause, and where the first of each was. Empty: all were taken. */
  get message(): string {
    const { refusals, points } = this;
    if (refusals.size === 0) return '';
    const causes = [...refusals].map(
      ([cause, { points: count, fieldPath, reason }]) => `${count} ${cause} (${fieldPath}: ${reason})`,
    );
    return `${this.refused} of ${points} data points were refused: ${causes.join('; ')}`.slice(0, maxMessage);
  }
}

const maxMessage = 2000;

/** Whether an outcome of the point intake is a refusal. */
export function isRefused(outcome: PointOutcome): boolean {
  return pointFates[outcome] === 'refused';
}
