import { type MetricDescription, metric } from '../../../otel/model/metric.ts';
import { StreamColumns } from '../../../proto/report/stream-columns.ts';
import { encodeReport, type GroupState } from '../../../proto/report/write-report.ts';

export interface ScriptOptions {
  readonly kind?: 'sum' | 'histogram';
  /** A multiple of ten; each report holds the series of one sampling group. */
  readonly seriesPerReport?: number;
  /** Sampling groups, which are reported in turn. */
  readonly groups?: number;
}

/** One report, which may be sent again wherever it stands in the script. */
export interface ScriptedReport {
  readonly bytes: Buffer;
  /** Values that differ from the report before. */
  readonly changed: number;
  /** What was measured since the report before: added to sums, or counted by histograms. */
  readonly counted: number;
}

/**
 * What one stream sends: for each sampling group a first report with everything and a second that sets the pace, and then reports that each
 * change 60 % of the series. Reports are differences, so those of the cycle can be sent over and over.
 */
export interface ReportScript {
  readonly metric: MetricDescription;
  readonly seriesPerReport: number;
  readonly groups: number;
  readonly prelude: readonly ScriptedReport[];
  readonly cycle: readonly ScriptedReport[];
}

const patterns = 10;
export const scriptBuckets = 15;
/** Buckets that a measured histogram changes. */
const bucketsHit = 3;

const metrics = {
  sum: metric({
    name: 'bench.requests',
    unit: '{request}',
    kind: 'sum',
    isMonotonic: true,
    valueType: 'int',
  }),
  histogram: metric({
    name: 'bench.duration',
    unit: 'ms',
    kind: 'histogram',
    explicitBounds: Array.from({ length: scriptBuckets - 1 }, (_, b) => 2 ** b),
    hasSum: true,
  }),
};

/** The state of one sampling group, which each report moves on. */
class Measured {
  readonly #kind: 'sum' | 'histogram';
  readonly #series: number;
  /** Of sums the values, of histograms the sums of what was measured. */
  readonly #sums: Float64Array;
  readonly #buckets: Float64Array;

  constructor(kind: 'sum' | 'histogram', series: number) {
    this.#kind = kind;
    this.#series = series;
    this.#sums = Float64Array.from({ length: series }, (_, k) => 1000 + k);
    this.#buckets = Float64Array.from(
      { length: kind === 'sum' ? 0 : series * scriptBuckets },
      (_, i) => 100 + (i % scriptBuckets),
    );
  }

  get cells(): number {
    return this.#kind === 'sum' ? this.#series : this.#buckets.length;
  }

  columns(): Pick<GroupState, 'sums' | 'histogramBucketCounts' | 'histogramSums'> {
    if (this.#kind === 'sum') return { sums: this.#sums };
    return { histogramBucketCounts: this.#buckets, histogramSums: this.#sums };
  }

  /** Six series of ten are measured. */
  measure(turn: number): { changed: number; counted: number } {
    let changed = 0;
    let counted = 0;
    for (let k = 0; k < this.#series; k++) {
      if ((k * 7 + turn * 3) % 10 >= 6) continue;
      const step = 1 + ((k * 31 + turn) % 40);
      this.#sums[k]! += step;
      if (this.#kind === 'sum') {
        changed++;
        counted += step;
        continue;
      }
      for (let hit = 0; hit < bucketsHit; hit++) {
        const bucket = (k + turn + hit * 5) % scriptBuckets;
        this.#buckets[k * scriptBuckets + bucket]! += 1 + (step % 4);
        changed++;
        counted += 1 + (step % 4);
      }
    }
    return { changed, counted };
  }
}

export function reportScript(options: ScriptOptions = {}): ReportScript {
  const { kind = 'sum', seriesPerReport = 300, groups = 1 } = options;
  const columns = new StreamColumns();
  for (let group = 0, number = 1; group < groups; group++)
    for (let k = 0; k < seriesPerReport; k++)
      columns.define({ number: number++, group, kind, buckets: scriptBuckets, hasSum: kind === 'histogram' });
  const measured = Array.from({ length: groups }, () => new Measured(kind, seriesPerReport));
  const startUs = Date.now() * 1000;
  const turn = (at: number): ScriptedReport[] =>
    measured.map((state, group) => {
      const { changed, counted } = at === 0 ? { changed: state.cells, counted: 0 } : state.measure(at);
      const timeUs = startUs + at * 1e6;
      const number = at === 0 && group === 0 ? 1 : undefined;
      const bytes = encodeReport(columns, [{ group, timeUs, ...state.columns() }], number);
      return { bytes: Buffer.from(bytes), changed, counted };
    });
  return {
    metric: metrics[kind],
    seriesPerReport,
    groups,
    prelude: [...turn(0), ...turn(1)],
    cycle: Array.from({ length: patterns }, (_, p) => turn(2 + p)).flat(),
  };
}
