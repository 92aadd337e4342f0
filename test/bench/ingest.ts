import { secondsArgument } from './host/arguments.ts';
import { pin } from './host/pin.ts';
import type { Figures } from './main.ts';
import { paced, saturated } from './streams/collector-load.ts';
import { reportScript } from './streams/report-script.ts';

export const summary =
  '[SECONDS=10]  Points per CPU-second that a collector merges: 8 and 1,000 streams saturated, 1,000 at one report a second';

const targets = { saturated8: 20e6, saturated1000: 12e6, pacedUs: 60 };

/** A collector process on one processor and the sender, this process, on the other. */
export async function run(args: readonly string[]): Promise<Figures> {
  const seconds = secondsArgument(args, 10);
  const isPinned = pin(process.pid, 1);
  const script = reportScript();
  const eight = 1 / (await saturated({ streams: 8, seconds, script }));
  const thousand = 1 / (await saturated({ streams: 1000, seconds, script }));
  const { reportUs, heldStreamKib, streamWithSeriesKib } = await paced({ streams: 1000, seconds, script });
  const million = (value: number): string => `${(value / 1e6).toFixed(1)} million`;
  const rows: [string, string, string][] = [
    ['8 streams saturated, points per CPU-second', million(eight), million(targets.saturated8)],
    ['1,000 streams saturated, points per CPU-second', million(thousand), million(targets.saturated1000)],
    ['1,000 streams at 1 report/s, CPU per report', `${reportUs.toFixed(1)} µs`, `${targets.pacedUs} µs`],
    ['resident memory per held stream', `${heldStreamKib.toFixed(1)} KiB`, ''],
    [`and with ${script.seriesPerReport} series`, `${streamWithSeriesKib.toFixed(1)} KiB`, ''],
  ];
  console.log(
    `ingest, reports of ${script.seriesPerReport} points of which ${script.cycle[0]!.changed} changed${isPinned ? '' : '; not pinned to processors'}`,
  );
  for (const [what, value, target] of rows)
    console.log(`  ${what.padEnd(50)} ${value.padStart(14)}  ${target === '' ? '' : `target ${target}`}`);
  return {
    seconds,
    points_per_cpu_second_8: eight,
    points_per_cpu_second_1000: thousand,
    cpu_us_per_paced_report: reportUs,
    held_stream_kib: heldStreamKib,
    stream_with_series_kib: streamWithSeriesKib,
    report_bytes: script.cycle[0]!.bytes.length,
  };
}
