/** What the point intake may be told to do otherwise. */
export interface PointRules {
  /**
   * A delta whose interval overlaps one that was counted. `drop`: it is refused, since it may hold the same measurements, and nothing is
   * counted twice. `sum`: it is added, for sources where several writers share one identity.
   */
  readonly overlap: 'drop' | 'sum';
  /**
   * How long a point may be under way and still be taken for one that has just been made, microseconds: exporters wait and try
   * again. An epoch looks so much older than its start time says.
   */
  readonly delayMarginUs: number;
  /**
   * Start times that differ by no more than this, microseconds, are the same life unless the value fell: sources that compute
   * "now less uptime" waver. The boot time that Linux tells moves in whole seconds.
   */
  readonly startToleranceUs: number;
}

export const defaultPointRules: PointRules = {
  overlap: 'drop',
  delayMarginUs: 30_000_000,
  startToleranceUs: 1_000_000,
};
