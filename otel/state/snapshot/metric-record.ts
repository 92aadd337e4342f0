import type { MetricDescription } from '../../model/metric.ts';
import type { InstrumentationScope } from '../../model/scope.ts';
import type { SnapshotReader } from '../../snapshot/snapshot-reader.ts';
import type { SnapshotWriter } from '../../snapshot/snapshot-writer.ts';
import { kindsByCode } from '../member-series.ts';

const monotonicFlag = 1;
const intFlag = 2;
const sumFlag = 4;
const minFlag = 8;
const maxFlag = 16;

/** Writes what a metric is. */
export function writeMetric(writer: SnapshotWriter, metric: MetricDescription): void {
  writer.text(metric.name);
  writer.text(metric.unit);
  writer.text(metric.description);
  writer.byte(kindsByCode.indexOf(metric.kind));
  writer.byte(
    (metric.isMonotonic ? monotonicFlag : 0) |
      (metric.valueType === 'int' ? intFlag : 0) |
      (metric.hasSum ? sumFlag : 0) |
      (metric.hasMin ? minFlag : 0) |
      (metric.hasMax ? maxFlag : 0),
  );
  writeNumbers(writer, metric.explicitBounds);
  writeNumbers(writer, metric.quantiles);
}

/** Reads what {@link writeMetric} wrote. */
export function readMetric(reader: SnapshotReader): MetricDescription {
  const name = reader.text();
  const unit = reader.text();
  const description = reader.text();
  const code = reader.byte();
  const kind = kindsByCode[code];
  if (kind === undefined)
    throw reader.error(`${code} is no kind of metric; 0 to ${kindsByCode.length - 1} are`);
  const flags = reader.byte();
  if (flags >= 2 * maxFlag) throw reader.error(`${flags} are no flags of a metric`);
  return {
    name,
    unit,
    description,
    kind,
    isMonotonic: (flags & monotonicFlag) !== 0,
    valueType: (flags & intFlag) === 0 ? 'double' : 'int',
    explicitBounds: readNumbers(reader),
    quantiles: readNumbers(reader),
    hasSum: (flags & sumFlag) !== 0,
    hasMin: (flags & minFlag) !== 0,
    hasMax: (flags & maxFlag) !== 0,
  };
}

export function writeScope(writer: SnapshotWriter, scope: InstrumentationScope): void {
  writer.text(scope.name);
  writer.text(scope.version);
  writer.attributes(scope.attributes);
  writer.text(scope.schemaUrl);
}

export function readScope(reader: SnapshotReader): InstrumentationScope {
  return {
    name: reader.text(),
    version: reader.text(),
    attributes: reader.attributes(),
    schemaUrl: reader.text(),
  };
}

function writeNumbers(writer: SnapshotWriter, numbers: readonly number[]): void {
  writer.varint(numbers.length);
  for (const number of numbers) writer.float64(number);
}

function readNumbers(reader: SnapshotReader): readonly number[] {
  const count = reader.varint(Math.floor(reader.left / 8), 'a count of numbers');
  return Array.from({ length: count }, () => reader.float64());
}
