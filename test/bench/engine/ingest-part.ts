import { paced, saturated } from '../streams/collector-load.ts';
import { reportScript } from '../streams/report-script.ts';
import { verifyMerged, withSetUp } from './merged-load.ts';
import { otelcolMissing, otelcolUnderLoad } from './otelcol-load.ts';
import { million, type Part, type Row } from './part.ts';

/** Sums of many streams, joined ten to one and exported all the while. */
export const ingestPart: Part = async ({ seconds, scale }) => {
  const script = reportScript();
  const many = 1000 / scale;
  const load = { seconds, script, verify: verifyMerged };
  const eight = 1 / (await withSetUp(true, ({ args }) => saturated({ ...load, streams: 8, args })));
  const thousand = 1 / (await withSetUp(true, ({ args }) => saturated({ ...load, streams: many, args })));
  const { reportUs } = await withSetUp(true, ({ args }) => paced({ ...load, streams: many, args }));
  const peers = [];
  for (const series of [10_000 / scale, 100_000 / scale])
    peers.push(await otelcolUnderLoad({ kind: 'sum', series, seconds, isAggregating: true }));
  const [small, large] = peers;
  const peer =
    small === undefined || large === undefined
      ? otelcolMissing
      : `otelcol otlp, deltatocumulative, interval: ${million(small.pointsPerCpuSecond)} at 10k series, ${million(large.pointsPerCpuSecond)} at 100k`;
  const rows: Row[] = [
    {
      figure: 'merged 10:1, 8 streams saturated',
      value: million(eight),
      target: '20 million/s',
      peer,
    },
    { figure: 'merged 10:1, 1,000 streams saturated', value: million(thousand), target: '12 million/s' },
    {
      figure: 'merged 10:1, 1,000 streams at 1 report/s',
      value: `${reportUs.toFixed(1)} µs a report`,
      target: '60 µs',
    },
  ];
  const figures = { merged_8_points_per_cpu_second: eight, merged_1000_points_per_cpu_second: thousand };
  return {
    rows,
    figures: {
      ...figures,
      merged_paced_report_us: reportUs,
      otelcol_10k_points_per_cpu_second: small?.pointsPerCpuSecond ?? otelcolMissing,
      otelcol_100k_points_per_cpu_second: large?.pointsPerCpuSecond ?? otelcolMissing,
    },
  };
};
