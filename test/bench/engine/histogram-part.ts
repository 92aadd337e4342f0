import { saturated } from '../streams/collector-load.ts';
import { reportScript } from '../streams/report-script.ts';
import { verifyMerged, withSetUp } from './merged-load.ts';
import { otelcolMissing, otelcolUnderLoad } from './otelcol-load.ts';
import { million, type Part } from './part.ts';

/** Explicit histograms of 15 buckets, joined ten to one and exported all the while. */
export const histogramPart: Part = async ({ seconds, scale }) => {
  const script = reportScript({ kind: 'histogram' });
  const eight =
    1 /
    (await withSetUp(true, ({ args }) =>
      saturated({ streams: 8, seconds, script, args, verify: verifyMerged }),
    ));
  const load = { kind: 'histogram', series: 10_000 / scale, seconds } as const;
  const passing = await otelcolUnderLoad({ ...load, isAggregating: false });
  const merging = await otelcolUnderLoad({ ...load, isAggregating: true });
  const peer =
    passing === undefined || merging === undefined
      ? otelcolMissing
      : `otelcol otlp to nop: ${million(passing.pointsPerCpuSecond)}; deltatocumulative, interval: ${million(merging.pointsPerCpuSecond)}`;
  return {
    rows: [
      {
        figure: 'histograms of 15 buckets, merged 10:1, 8 streams saturated',
        value: million(eight),
        target: '3 million/s',
        peer,
      },
    ],
    figures: {
      histogram_points_per_cpu_second: eight,
      otelcol_histogram_nop_points_per_cpu_second: passing?.pointsPerCpuSecond ?? otelcolMissing,
      otelcol_histogram_merged_points_per_cpu_second: merging?.pointsPerCpuSecond ?? otelcolMissing,
    },
  };
};
