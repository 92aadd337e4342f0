import { saturated } from '../streams/collector-load.ts';
import { reportScript } from '../streams/report-script.ts';
import { verifyMerged, withSetUp } from './merged-load.ts';
import type { Part } from './part.ts';

const streams = 10;
const seriesPerReport = 1000;

/** What a point costs as the state grows: the same ten streams and reports, with more sampling groups that are reported in turn. */
export const scalePart: Part = async ({ seconds, scale }) => {
  const costs: number[] = [];
  for (const series of [10_000, 100_000, 1_000_000]) {
    const perStream = series / scale / streams;
    const script = reportScript({
      seriesPerReport: Math.min(seriesPerReport, perStream),
      groups: Math.max(1, perStream / seriesPerReport),
    });
    costs.push(
      await withSetUp(true, ({ args }) =>
        saturated({ streams, seconds, script, args, verify: verifyMerged }),
      ),
    );
  }
  const [small, middle, large] = costs.map((cost) => cost * 1e9) as [number, number, number];
  const ratio = Math.max(small, middle, large) / Math.min(small, middle, large);
  return {
    rows: [
      {
        figure: 'a point at 10k, 100k, 1M input series, merged 10:1 and exported',
        value: `${small.toFixed(0)}, ${middle.toFixed(0)}, ${large.toFixed(0)} ns (${ratio.toFixed(1)}x)`,
        target: 'within 1.5x',
      },
    ],
    figures: {
      ns_per_point_10k: small,
      ns_per_point_100k: middle,
      ns_per_point_1m: large,
      ns_per_point_ratio: ratio,
    },
  };
};
