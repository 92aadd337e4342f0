import type { ExponentialRange } from '../../proto/report/exponential-range.ts';
import { decodeReport } from '../../proto/report/read-report.ts';
import { StreamColumns } from '../../proto/report/stream-columns.ts';
import { encodeReport, type GroupState } from '../../proto/report/write-report.ts';

export const name = 'exponential';
export const summary =
  'exponential histograms on the wire: nanoseconds and bytes a histogram of about 160 buckets';

const histograms = 300;
const buckets = 160;
const reports = 60;

/** What the buckets of all histograms are: their scales, layouts and counts. */
interface State {
  readonly scale: number;
  readonly offset: number;
  readonly counts: readonly (readonly number[])[];
}

/** What one report's worth of measurements does, given how many reports came before. */
type Step = (state: State, report: number) => State;

/** Every `share`th bucket has one more, other ones in each report. */
function counted({ scale, offset, counts }: State, report: number, share: number): State {
  return {
    scale,
    offset,
    counts: counts.map((list) => list.map((n, b) => ((b + report) % share === 0 ? n + 1 : n))),
  };
}

const cases: Record<string, Step> = {
  unchanged: (state) => state,
  '10 % of buckets': (state, report) => counted(state, report, 10),
  'a bucket more': ({ scale, offset, counts }, report) => ({
    scale,
    offset: offset - (report % 2),
    counts: counts.map((list) => (report % 2 === 1 ? [1, ...list] : [...list, 1])),
  }),
  'scaled down, filled': ({ scale, offset, counts }) => {
    const first = offset >> 1;
    const folded = counts.map((list) => {
      const into = new Array<number>(buckets).fill(0);
      list.forEach((n, b) => {
        into[((offset + b) >> 1) - first] += n;
      });
      return into;
    });
    return scale === -10
      ? { scale: 20, offset, counts }
      : { scale: scale - 1, offset: first, counts: folded };
  },
};

export async function run(): Promise<Record<string, number>> {
  const figures: Record<string, number> = {};
  console.log('a report               decode ns/histogram  encode ns/histogram  bytes/histogram');
  for (const [title, step] of Object.entries(cases)) {
    const { decodeNs, encodeNs, bytes } = best(() => pass(step));
    console.log(
      `${title.padEnd(22)}${[decodeNs, encodeNs, bytes].map((figure, i) => figure.toFixed(1).padStart([20, 21, 17][i])).join('')}`,
    );
    const key = title.replace(/\W+/g, '_');
    figures[`${key}_decode_ns`] = round(decodeNs);
    figures[`${key}_encode_ns`] = round(encodeNs);
    figures[`${key}_bytes`] = round(bytes);
  }
  return figures;
}

interface Pass {
  readonly decodeNs: number;
  readonly encodeNs: number;
  readonly bytes: number;
}

/** One stream from its second report on. */
function pass(step: Step): Pass {
  const sender = new StreamColumns();
  const receiver = new StreamColumns();
  for (const end of [sender, receiver])
    for (let number = 1; number <= histograms; number++)
      end.define({ number, group: 1, kind: 'exponential_histogram' });
  let state: State = {
    scale: 20,
    offset: -buckets / 2,
    counts: Array.from({ length: histograms }, (_, h) =>
      Array.from({ length: buckets }, (_, b) => (h + b) % 50),
    ),
  };
  decodeReport(encodeReport(sender, [groupState(state)], 1), receiver);
  let decodeMs = 0;
  let encodeMs = 0;
  let bytes = 0;
  for (let report = 1; report <= reports; report++) {
    state = step(state, report);
    const group = groupState(state);
    const start = performance.now();
    const message = encodeReport(sender, [group]);
    const encoded = performance.now();
    decodeReport(message, receiver);
    decodeMs += performance.now() - encoded;
    encodeMs += encoded - start;
    bytes += message.length;
  }
  check(receiver.groups.get(1)!.exponentialHistograms.positive, state);
  const each = reports * histograms;
  return { decodeNs: (decodeMs * 1e6) / each, encodeNs: (encodeMs * 1e6) / each, bytes: bytes / each };
}

function groupState({ scale, offset, counts }: State): GroupState {
  return {
    group: 1,
    timeUs: 0,
    exponentialScales: new Float64Array(histograms).fill(scale),
    exponentialPositiveLayout: Float64Array.from(counts.flatMap((list) => [offset, list.length])),
    exponentialPositiveCounts: Float64Array.from(counts.flat()),
  };
}

function check({ offsets, firstCells, counts }: ExponentialRange, state: State): void {
  state.counts.forEach((list, h) => {
    const decoded = counts.values.subarray(firstCells[h], firstCells[h + 1]);
    if (
      offsets[h] !== state.offset ||
      decoded.length !== list.length ||
      list.some((n, b) => decoded[b] !== n)
    )
      throw new Error(`histogram ${h} is not what was sent`);
  });
}

/** The fastest of some passes, each figure by itself. */
function best(work: () => Pass): Pass {
  const passes = Array.from({ length: 5 }, work);
  const least = (get: (pass: Pass) => number) => Math.min(...passes.map(get));
  return {
    decodeNs: least(({ decodeNs }) => decodeNs),
    encodeNs: least(({ encodeNs }) => encodeNs),
    bytes: least(({ bytes }) => bytes),
  };
}

function round(figure: number): number {
  return Math.round(figure * 10) / 10;
}
