// Loaded into a collector with `--import`: measures the delay of its event loop, and writes it at each SIGUSR2, since the one before.
import { monitorEventLoopDelay } from 'node:perf_hooks';

export interface LoopDelay {
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly samples: number;
}

const resolutionMs = 1;
const delay = monitorEventLoopDelay({ resolution: resolutionMs });
delay.enable();

process.on('SIGUSR2', () => {
  // A timer that is on time counts as its interval.
  const ms = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - resolutionMs);
  const found: LoopDelay = { p99Ms: ms(delay.percentile(99)), maxMs: ms(delay.max), samples: delay.count };
  process.stderr.write(`loop delay ${JSON.stringify(found)}\n`);
  delay.reset();
});
