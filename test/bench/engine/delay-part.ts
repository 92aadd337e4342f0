import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { CollectorProcess } from '../../process/streamgauge.ts';
import { inCollector, pace, settle } from '../streams/collector-load.ts';
import { reportScript } from '../streams/report-script.ts';
import { reportSenders } from '../streams/report-sender.ts';
import type { LoopDelay } from './loop-delay-probe.ts';
import { withSetUp } from './merged-load.ts';
import type { Part } from './part.ts';

const probe = pathToFileURL(`${import.meta.dirname}/loop-delay-probe.ts`).href;
const seriesPerReport = 1000;
const groups = 10;
const reportsPerSecond = 10;

/** The delay of the collector's event loop since the call before. */
async function loopDelay({ child }: CollectorProcess): Promise<LoopDelay> {
  const seen = child.output.length;
  process.kill(child.pid, 'SIGUSR2');
  const deadline = performance.now() + 30_000;
  for (;;) {
    const found = /loop delay (\{.*\})\n/.exec(child.output.slice(seen))?.[1];
    if (found !== undefined) return JSON.parse(found) as LoopDelay;
    if (performance.now() > deadline) throw new Error('the probe did not answer within 30 s');
    await delay(20);
  }
}

/** How long the event loop is held up while a million series are exported over and over, and as many points a second come in. */
export const delayPart: Part = async ({ seconds, scale }) =>
  await withSetUp(false, async ({ args, backend }) => {
    const streams = 100 / scale;
    const script = reportScript({ seriesPerReport, groups });
    return await inCollector(
      args,
      async (collector) => {
        const senders = await reportSenders(collector, streams, script);
        for (let i = 0; i < script.prelude.length; i++) for (const sender of senders) sender.send();
        await settle(collector, senders);
        // Each stream sends that often, and so each series comes once a second.
        const load = Array.from({ length: reportsPerSecond }, () => senders).flat();
        await pace(load, 3);
        await loopDelay(collector);
        const bytesBefore = backend.bytes;
        await pace(load, Math.max(seconds, 6));
        const found = await loopDelay(collector);
        const exported = backend.bytes - bytesBefore;
        await settle(collector, senders);
        const series = streams * groups * seriesPerReport;
        // A point has its start time, its time, its value and its attributes.
        if (exported < series * 27) throw new Error(`${exported} bytes were exported for ${series} series`);
        for (const { agent } of senders) agent.cut();
        return {
          rows: [
            {
              figure: `event loop delay p99 while ${series.toLocaleString('en')} series export under load`,
              value: `${found.p99Ms.toFixed(1)} ms (longest ${found.maxMs.toFixed(1)} ms)`,
              target: '20 ms',
            },
          ],
          figures: {
            loop_delay_p99_ms: found.p99Ms,
            loop_delay_max_ms: found.maxMs,
            exported_mb: exported / 1e6,
          },
        };
      },
      { NODE_OPTIONS: `--import=${probe}` },
    );
  });
