import { metricFromDefinition } from '../../../otel/model/definitions.ts';
import type { MetricDescription } from '../../../otel/model/metric.ts';
import type { SnapshotReader } from '../../../otel/snapshot/snapshot-reader.ts';
import type { SnapshotWriter } from '../../../otel/snapshot/snapshot-writer.ts';
import { kindsByCode } from '../../../otel/state/member-series.ts';
import { orError } from './or-error.ts';

/** Bits of a metric's flags. */
const isMonotonicBit = 1;
const isIntBit = 2;
const hasSumBit = 4;
const hasMinBit = 8;
const hasMaxBit = 16;

/** Writes a metric, in one piece. */
export function writeMetric(writer: SnapshotWriter, metric: MetricDescription): void {
  const { name, unit, description, kind, valueType, isMonotonic, hasSum, hasMin, hasMax } = metric;
  writer.text(name);
  writer.text(unit);
  writer.text(description);
  writer.byte(kindsByCode.indexOf(kind));
  writer.byte(
    (isMonotonic ? isMonotonicBit : 0) |
      (valueType === 'int' ? isIntBit : 0) |
      (hasSum ? hasSumBit : 0) |
      (hasMin ? hasMinBit : 0) |
      (hasMax ? hasMaxBit : 0),
  );
  for (const list of [metric.explicitBounds, metric.quantiles]) {
    writer.varint(list.length);
    for (const number of list) writer.float64(number);
  }
}

/** @param path of the metric, for errors. @throws SnapshotError for what no Define can have said */
export function readMetric(reader: SnapshotReader, path: string): MetricDescription {
  const name = reader.text();
  const unit = reader.text();
  const description = reader.text();
  const kind = kindsByCode[reader.byte()];
  if (kind === undefined) throw reader.error(`${path} has a kind above ${kindsByCode.length - 1}`);
  const flags = reader.byte();
  const has = (bit: number) => (flags & bit) !== 0;
  const explicitBounds = readNumbers(reader);
  const quantiles = readNumbers(reader);
  const definition = {
    number: 0,
    scope: 0,
    name,
    unit,
    description,
    kind,
    isMonotonic: has(isMonotonicBit),
    valueType: has(isIntBit) ? ('int' as const) : ('double' as const),
    explicitBounds,
    quantiles,
    hasSum: has(hasSumBit),
    hasMin: has(hasMinBit),
    hasMax: has(hasMaxBit),
  };
  return orError(reader, () => metricFromDefinition(definition, path));
}

function readNumbers(reader: SnapshotReader): number[] {
  const count = reader.varint(Math.floor(reader.left / 8), 'a count of numbers');
  return Array.from({ length: count }, () => reader.float64());
}
