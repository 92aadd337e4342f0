import path from 'node:path';
import { run } from '../../process/child.ts';
import { otelcolMissing, otelcolUnderLoad } from './otelcol-load.ts';
import { million, type Part } from './part.ts';
import type { StateMemory, StateMemoryOptions } from './state-memory.ts';

const program = path.join(import.meta.dirname, 'state-memory.ts');

/** In a process of its own, with a young generation of one size, so that what is measured is what is held. */
async function stateMemory(options: StateMemoryOptions): Promise<StateMemory> {
  const youngMiB = 16;
  const young = [`--min-semi-space-size=${youngMiB}`, `--max-semi-space-size=${youngMiB}`];
  const args = ['--expose-gc', ...young, program, JSON.stringify(options)];
  const output = await run(process.execPath, args, { timeoutMs: 120_000 });
  return JSON.parse(output) as StateMemory;
}

/** Memory of an input series: the slope of resident memory up to a million. */
export const memoryPart: Part = async ({ scale }) => {
  const members = 1000 / scale;
  const shared = { members, seriesPerMember: 1000, metrics: 60, isShared: true };
  const merged = await stateMemory({ ...shared, isMerging: true });
  const passed = await stateMemory({ ...shared, isMerging: false });
  const large = { members: members / 10, seriesPerMember: 10_000, metrics: 60, isShared: true };
  const passedLarge = await stateMemory({ ...large, isMerging: false });
  const own = { ...shared, members: members / 5, isShared: false, isMerging: true };
  const { bytesPerSeries: withDefinition } = await stateMemory(own);
  // The Collector gets whole requests of a thousand points.
  const series = [Math.max(1000, 10_000 / scale), Math.max(10_000, 100_000 / scale)] as const;
  const peers = [];
  for (const count of series)
    peers.push(await otelcolUnderLoad({ kind: 'sum', series: count, seconds: 1, isAggregating: true }));
  const [few, many] = peers;
  const slope =
    few === undefined || many === undefined
      ? undefined
      : ((many.residentMiB - few.residentMiB) * 1024 * 1024) / (series[1] - series[0]);
  const bytes = (value: number): string => `${value.toFixed(0)} B`;
  return {
    rows: [
      {
        figure: 'memory of an input series at 1 million, shared definitions, 1,000 members merged',
        value: bytes(merged.bytesPerSeries),
        target: '100 B',
        peer: slope === undefined ? otelcolMissing : `otelcol, up to 100k: ${bytes(slope)}`,
      },
      {
        figure: 'and passed on, 1,000 members with 1,000 series of 60 metrics',
        value: bytes(passed.bytesPerSeries),
        target: '100 B',
      },
      {
        figure: 'and passed on, 100 members with 10,000 series of 60 metrics',
        value: bytes(passedLarge.bytesPerSeries),
        target: '100 B',
      },
      { figure: 'and merged, no definition shared, each its own point', value: bytes(withDefinition) },
      { figure: 'new series, merged', value: million(merged.definitionsPerSecond) },
    ],
    figures: {
      bytes_per_series_merged: merged.bytesPerSeries,
      bytes_per_series_passed: passed.bytesPerSeries,
      bytes_per_series_passed_large: passedLarge.bytesPerSeries,
      bytes_per_series_own_definition: withDefinition,
      definitions_per_second: merged.definitionsPerSecond,
      otelcol_bytes_per_series: slope ?? otelcolMissing,
    },
  };
};
