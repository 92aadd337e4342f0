/** Why points were not shown. */
export const leftOutCauses = [
  /** A sum or histogram with delta temporality: Prometheus knows cumulative ones only. */
  'delta',
  /** A metric of the same name, but of another type, came first. */
  'type_conflict',
  /** A name of the metric's samples is another family's: a gauge `x_count` beside a histogram `x`. */
  'name_conflict',
  /** Nothing of the metric's name is allowed in a Prometheus name. */
  'unusable_name',
  /** A point with the same name and labels came first. */
  'duplicate_series',
] as const;

export type LeftOutCause = (typeof leftOutCauses)[number];

/** A metric that was not shown as it is. */
export interface Conflict {
  /** The metric's name in OpenTelemetry. `duplicate_series`: the first of the target's. */
  readonly metric: string;
  /** The family's name in Prometheus. */
  readonly family: string;
  /** `job` and `instance` of the resource. */
  readonly job: string;
  readonly instance: string;
  /** `help` and `unit`: the metric is shown, under the first one's HELP and UNIT. */
  readonly cause: LeftOutCause | 'help' | 'unit';
  /** `duplicate_series`: of all the target's metrics. */
  readonly points: number;
}

const maxConflicts = 32;

/** What came of one exposition. Complete when all its text has been taken. */
export class ExpositionReport {
  families = 0;
  /** Lines with a value. */
  samples = 0;
  /** Points that were not shown, by cause. */
  readonly leftOut: Record<LeftOutCause, number> = {
    delta: 0,
    type_conflict: 0,
    name_conflict: 0,
    unusable_name: 0,
    duplicate_series: 0,
  };
  /**
   * The first 32, for a log. Two sources that give themselves out for the same target have nearly all their series twice: these are one
   * conflict, so that they leave room for others.
   */
  readonly conflicts: Conflict[] = [];

  /** Counts points that were left out, and notes the conflict. */
  leaveOut(conflict: Conflict & { readonly cause: LeftOutCause }): void {
    this.leftOut[conflict.cause] += conflict.points;
    this.note(conflict);
  }

  note(conflict: Conflict): void {
    const at = this.conflicts.findIndex((noted) => isSameTwice(noted, conflict));
    if (at !== -1) {
      const noted = this.conflicts[at]!;
      this.conflicts[at] = { ...noted, points: noted.points + conflict.points };
    } else if (this.conflicts.length < maxConflicts) this.conflicts.push(conflict);
  }
}

function isSameTwice(one: Conflict, other: Conflict): boolean {
  return (
    one.cause === 'duplicate_series' &&
    other.cause === 'duplicate_series' &&
    one.job === other.job &&
    one.instance === other.instance
  );
}
