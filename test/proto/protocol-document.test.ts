import { readFileSync } from 'node:fs';
import test from 'ava';
import { ByteWriter } from '../../proto/columns/byte-writer.ts';
import { decodeNumbers } from '../../proto/columns/decode-numbers.ts';
import { Drifts } from '../../proto/columns/drifts.ts';
import { encodeNumbers } from '../../proto/columns/encode-numbers.ts';
import { FieldReader } from '../../proto/columns/field-reader.ts';
import { NumberColumn } from '../../proto/columns/number-column.ts';
import { decodeReport } from '../../proto/report/read-report.ts';
import { StreamColumns } from '../../proto/report/stream-columns.ts';
import { encodeReport } from '../../proto/report/write-report.ts';
import { ReferenceColumn, ReferenceRange } from './columns/reference-decoder.ts';

const document = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');

/** The rows of the table that begins with this cell. */
function rows(firstCell: string): string[][] {
  const lines = document.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${firstCell} |`));
  const end = lines.findIndex((line, i) => i > start && !line.startsWith('|'));
  return lines.slice(start + 2, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const bytesOf = (cell: string) => Buffer.from(cell === '(none)' ? '' : cell.replace(/[` ]/g, ''), 'hex');
const numbersOf = (cell: string) => (cell === '(none)' ? [] : cell.split(', ').map(Number));

test('the examples of columns are what is decoded, what is encoded, and what the text says', (t) => {
  const examples = rows('bytes of the column');
  t.is(examples.length, 7);
  const read = new NumberColumn();
  const written = new NumberColumn();
  for (const column of [read, written]) for (let number = 1; number <= 4; number++) column.append(number, 0);
  const reference = new ReferenceColumn(4);
  for (const [bytesCell, valuesCell] of examples) {
    const bytes = bytesOf(bytesCell);
    const values = numbersOf(valuesCell);
    decodeNumbers(bytes, 0, bytes.length, read);
    t.deepEqual([...read.values.subarray(0, 4)], values, bytesCell);
    reference.decode(bytes);
    t.deepEqual(reference.values, values, bytesCell);
    const writer = new ByteWriter();
    encodeNumbers(written, Float64Array.from(values), writer);
    t.is(Buffer.from(writer.copy()).toString('hex'), bytes.toString('hex'));
  }
});

test('the example of a column that drifts is what is decoded, and what the text says', (t) => {
  const examples = rows('bytes of a column that drifts');
  t.is(examples.length, 7);
  const column = new NumberColumn(new Drifts());
  for (let number = 1; number <= 2; number++) column.append(number, 0);
  const reference = new ReferenceColumn(2, true);
  for (const [bytesCell, valuesCell] of examples) {
    const bytes = bytesOf(bytesCell);
    decodeNumbers(bytes, 0, bytes.length, column);
    t.deepEqual([...column.values.subarray(0, 2)], numbersOf(valuesCell), bytesCell);
    reference.decode(bytes);
    t.deepEqual(reference.values, numbersOf(valuesCell), bytesCell);
  }
  t.is(column.drifts!.count, 0);
});

test('the examples of messages are what is decoded', (t) => {
  const examples = rows('bytes of the AgentMessage');
  t.is(examples.length, 3);
  const columns = new StreamColumns();
  columns.define({ number: 1, group: 1, kind: 'sum' });
  columns.define({ number: 2, group: 1, kind: 'sum' });
  columns.define({ number: 3, group: 1, kind: 'gauge' });
  for (const [bytes, number, time, sums, gauges, places] of examples) {
    const report = decodeReport(bytesOf(bytes), columns);
    const group = report.groups[0];
    t.is(report.number, Number(number));
    t.is(group.timeUs, Number(time));
    t.deepEqual([...group.sums.values.subarray(0, 2)], numbersOf(sums));
    t.deepEqual([...group.gauges.values.subarray(0, 1)], numbersOf(gauges));
    t.deepEqual([...group.noRecordedValue.subarray(0, group.noRecordedValueCount)], numbersOf(places));
  }
});

test('the example of places', (t) => {
  t.regex(document, /Places 2, 3 and 7 are `02 00 03`/);
});

test('the example of an exponential histogram is what is decoded, what is encoded, and what the text says', (t) => {
  const examples = rows('scales');
  t.is(examples.length, 5);
  const columns = [new StreamColumns(), new StreamColumns()] as const;
  for (const end of columns) end.define({ number: 1, group: 1, kind: 'exponential_histogram' });
  const scales = new ReferenceColumn(1);
  const range = new ReferenceRange(1);
  for (const [row, cells] of examples.entries()) {
    const [scalesCell, layoutCell, baseCell, countsCell, scaleCell, bucketsCell] = cells;
    const [offsetText, countsText] = bucketsCell.split(': ');
    const counts = numbersOf(countsText);
    const expected = { offset: Number(offsetText), counts };
    scales.decode(bytesOf(scalesCell));
    t.is(scales.values[0], Number(scaleCell));
    range.decode(scales.values, bytesOf(layoutCell), bytesOf(countsCell));
    t.deepEqual(range.bases, numbersOf(baseCell));
    t.deepEqual(range.of(0), expected);
    const [sender, receiver] = columns;
    const state = {
      group: 1,
      timeUs: 0,
      exponentialScales: Float64Array.of(Number(scaleCell)),
      exponentialPositiveLayout: Float64Array.of(expected.offset, counts.length),
      exponentialPositiveCounts: Float64Array.from(counts),
    };
    const bytes = encodeReport(sender, [state], row + 1);
    t.deepEqual(columnsOf(bytes), {
      9: bytesOf(scalesCell).toString('hex'),
      12: bytesOf(layoutCell).toString('hex'),
      13: bytesOf(countsCell).toString('hex'),
    });
    decodeReport(bytes, receiver);
    const { positive, scales: decoded } = receiver.groups.get(1)!.exponentialHistograms;
    t.is(decoded.values[0], Number(scaleCell));
    t.is(positive.offsets[0], expected.offset);
    t.deepEqual([...positive.counts.values.subarray(0, positive.counts.size)], counts);
  }
});

/** The columns of the one group in a report, in hexadecimal digits. */
function columnsOf(message: Uint8Array): Record<number, string> {
  const found: Record<number, string> = { 9: '', 12: '', 13: '' };
  const fields = new FieldReader();
  fields.reset(message, 0, message.length);
  fields.next();
  fields.reset(message, fields.start, fields.end);
  while (fields.next())
    if (fields.field >= 3)
      found[fields.field] = Buffer.from(message.slice(fields.start, fields.end)).toString('hex');
  return found;
}
