import { ByteWriter } from '../../proto/columns/byte-writer.ts';
import { decodeNumbers } from '../../proto/columns/decode-numbers.ts';
import { encodeNumbers } from '../../proto/columns/encode-numbers.ts';
import { NumberColumn } from '../../proto/columns/number-column.ts';
import { decodeReport } from '../../proto/report/read-report.ts';
import { StreamColumns } from '../../proto/report/stream-columns.ts';
import { encodeReport } from '../../proto/report/write-report.ts';

export const name = 'columns';
export const summary = 'the column codecs: nanoseconds and bytes a value, 300 values of which 60 % change';

const cells = 300;
const changedShare = 0.6;
/** Different reports, so that no branch predictor learns them by heart. */
const reports = 200;
const timedMs = 300;

/** Moves a value, given a random number from 0 to 1. */
type Move = (value: number, random: number) => number;

const data: Record<string, Move> = {
  'small counters': (value, random) => value + 1 + Math.floor(random * 30),
  'byte counters': (value, random) => value + Math.floor(random * 200_000),
  decimals: (value, random) => (Math.round(value * 100) + 1 + Math.floor(random * 50)) / 100,
  'random doubles': (_, random) => random,
};

export async function run(): Promise<Record<string, number>> {
  const figures: Record<string, number> = {};
  console.log('values            decode ns/value  per changed  encode ns/value  per changed  bytes/changed');
  for (const [title, move] of Object.entries(data)) {
    const states = makeStates(move);
    const { bytes, changes } = encodeAll(states);
    checkDecoded(bytes, states);
    const decodeNs = time(() => decodeAll(bytes), changes);
    const encodeNs = time(() => encodeAll(states).changes, changes);
    const size = bytes.reduce((sum, column) => sum + column.length, 0) / changes;
    const perValue = changes / (reports * cells);
    const row = [decodeNs * perValue, decodeNs, encodeNs * perValue, encodeNs, size];
    console.log(
      `${title.padEnd(18)}${row.map((figure, i) => figure.toFixed(2).padStart([15, 13, 17, 13, 15][i])).join('')}`,
    );
    const key = title.replaceAll(' ', '_');
    figures[`${key}_decode_ns_per_value`] = round(decodeNs * perValue);
    figures[`${key}_decode_ns_per_changed`] = round(decodeNs);
    figures[`${key}_encode_ns_per_value`] = round(encodeNs * perValue);
    figures[`${key}_bytes_per_changed`] = round(size);
  }
  const reportNs = timeReports();
  console.log(`decodeReport, one group of ${cells} small counters: ${reportNs.toFixed(0)} ns`);
  figures.report_decode_ns = round(reportNs);
  return figures;
}

/** The values after each report, from a generator with a fixed seed; the first state is that of the base. */
function makeStates(move: Move): Float64Array[] {
  let seed = 12345;
  const next = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed;
  };
  // All 53 bits, as a random double has them.
  const random = () => ((next() >>> 5) * 2 ** 26 + (next() >>> 6)) / 2 ** 53;
  let state: Float64Array = Float64Array.from({ length: cells }, () => 0);
  return Array.from({ length: reports }, () => {
    state = state.map((value) => (random() < changedShare ? move(value, random()) : value));
    return state;
  });
}

function emptyColumn(): NumberColumn {
  const column = new NumberColumn();
  for (let number = 1; number <= cells; number++) column.append(number, number);
  return column;
}

const writer = new ByteWriter(65536);

function encodeAll(states: readonly Float64Array[]): { bytes: Uint8Array[]; changes: number } {
  const column = emptyColumn();
  let changes = 0;
  const bytes = states.map((state, i) => {
    writer.reset();
    encodeNumbers(column, state, writer);
    const before = i === 0 ? undefined : states[i - 1];
    for (let cell = 0; cell < cells; cell++) if (state[cell] !== (before?.[cell] ?? 0)) changes++;
    return Buffer.from(writer.copy());
  });
  return { bytes, changes };
}

function decodeAll(columns: readonly Uint8Array[]): number {
  const column = emptyColumn();
  let changes = 0;
  for (const bytes of columns) {
    decodeNumbers(bytes, 0, bytes.length, column);
    changes += column.changedCount;
  }
  return changes;
}

function checkDecoded(columns: readonly Uint8Array[], states: readonly Float64Array[]): void {
  const column = emptyColumn();
  columns.forEach((bytes, i) => {
    decodeNumbers(bytes, 0, bytes.length, column);
    for (let cell = 0; cell < cells; cell++)
      if (column.values[cell] !== states[i][cell])
        throw new Error(`report ${i}, cell ${cell}: ${column.values[cell]}, not ${states[i][cell]}`);
  });
}

/** Nanoseconds for each of the changes that one call makes, the best of three rounds after one for warming up. */
function time(work: () => number, changes: number): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 4; round++) {
    const start = performance.now();
    let calls = 0;
    for (; performance.now() - start < timedMs; calls++) {
      const done = work();
      if (done !== changes) throw new Error(`${done} values changed, not ${changes}`);
    }
    const ns = ((performance.now() - start) * 1e6) / (calls * changes);
    if (round > 0) best = Math.min(best, ns);
  }
  return best;
}

/** Nanoseconds of a whole report. */
function timeReports(): number {
  const states = makeStates(data['small counters']);
  const series = Array.from({ length: cells }, (_, i) => ({
    number: i + 1,
    group: 1,
    kind: 'sum' as const,
    attached: i,
  }));
  const make = () => {
    const columns = new StreamColumns();
    for (const one of series) columns.define(one);
    return columns;
  };
  const sender = make();
  const messages = states.map((sums, i) =>
    Buffer.from(encodeReport(sender, [{ group: 1, timeUs: 1.79e15 + i * 1e6, sums }], i + 1)),
  );
  const expected = sender.groups.get(1)!.sums.values;
  const ns = time(() => {
    const receiver = make();
    for (const message of messages) decodeReport(message, receiver);
    const { values } = receiver.groups.get(1)!.sums;
    if (!values.every((value, i) => value === expected[i]))
      throw new Error('the decoded values are not those sent');
    return reports;
  }, reports);
  return ns;
}

function round(figure: number): number {
  return Math.round(figure * 100) / 100;
}
