import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Seconds that the event loop was late. */
export interface EventLoopDelay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Fifty times a second; less often would miss short stalls, more often costs what it measures. */
const resolutionMs = 20;

/** Measures how late the event loop is. */
export class EventLoopMonitor {
  readonly #histogram = monitorEventLoopDelay({ resolution: resolutionMs });

  start(): void {
    this.#histogram.enable();
  }

  stop(): void {
    this.#histogram.disable();
  }

  /** What was measured since the last time; `undefined` when nothing was. */
  take(): EventLoopDelay | undefined {
    const histogram = this.#histogram;
    if (histogram.count === 0) return undefined;
    const delay = {
      p50: seconds(histogram.percentile(50)),
      p99: seconds(histogram.percentile(99)),
      max: seconds(histogram.max),
    };
    histogram.reset();
    return delay;
  }
}

/** Node records the time between two ticks, which is at least the resolution. */
function seconds(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e9 - resolutionMs / 1e3);
}
