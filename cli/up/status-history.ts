import type { HostMetric, UpStatus } from './status.ts';

/** How many values a sparkline remembers. */
const remembered = 60;

/** A snapshot with what only two of them tell. */
export interface UpView {
  readonly status: UpStatus;
  /** `undefined` until there are two snapshots. */
  readonly pointsPerSecond: number | undefined;
  readonly bytesPerPoint: number | undefined;
  readonly pointsTrend: readonly number[];
  readonly host: readonly HostLine[];
}

export interface HostLine {
  readonly label: string;
  readonly unit: HostMetric['unit'];
  /** Of a total: per second. `undefined` until it is known. */
  readonly value: number | undefined;
  readonly isRate: boolean;
  readonly trend: readonly number[];
}

/** Makes rates and trends of snapshots. Holds at most 60 values of each. */
export class StatusHistory {
  #previous: UpStatus | undefined;
  #pointsTrend: number[] = [];
  #hostTrends = new Map<string, number[]>();

  push(status: UpStatus): UpView {
    const previous = this.#previous;
    this.#previous = status;
    const seconds = previous === undefined ? 0 : (status.timeMs - previous.timeMs) / 1000;
    const rate = (now: number, before: number | undefined): number | undefined =>
      before === undefined || !(seconds > 0) ? undefined : Math.max(0, now - before) / seconds;
    const points = rate(status.points, previous?.points);
    const bytes = rate(status.wireBytes, previous?.wireBytes);
    this.#pointsTrend = extended(this.#pointsTrend, points);
    // Only the metrics of this snapshot are remembered, so that labels that come and go do not gather.
    const trends = new Map<string, number[]>();
    const host = status.host.map((metric): HostLine => {
      const before = previous?.host.find(({ label }) => label === metric.label);
      const value = metric.kind === 'level' ? metric.value : rate(metric.value, before?.value);
      const trend = extended(this.#hostTrends.get(metric.label) ?? [], value);
      trends.set(metric.label, trend);
      return { label: metric.label, unit: metric.unit, value, isRate: metric.kind === 'total', trend };
    });
    this.#hostTrends = trends;
    const bytesPerPoint =
      points === undefined || bytes === undefined || points === 0 ? undefined : bytes / points;
    return { status, pointsPerSecond: points, bytesPerPoint, pointsTrend: this.#pointsTrend, host };
  }
}

function extended(trend: readonly number[], value: number | undefined): number[] {
  return value === undefined ? [...trend] : [...trend, value].slice(-remembered);
}
