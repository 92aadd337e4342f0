import type { MetricDescription, Temporality } from '../model/metric.ts';
import type { PointBatch } from '../state/point-batch.ts';
import { writeExponentialPoints } from './encode-exponential-points.ts';
import { explicitBoundsField, writeHistogramPoints } from './encode-histogram-points.ts';
import { writeNumberPoints } from './encode-number-points.ts';
import { writeSummaryPoints } from './encode-summary-points.ts';
import { WireWriter } from './wire-writer.ts';

/** What a Metric message of OTLP is made of, encoded once for all its streams of one temporality. */
export interface MetricEncoding {
  /** The fields of Metric before its data: name, description, unit. */
  readonly described: Uint8Array;
  /** The tag of the data: gauge, sum, histogram, exponential histogram or summary. */
  readonly dataTag: number;
  /** The fields of the data before its points: temporality and monotonicity. */
  readonly data: Uint8Array;
  /**
   * Writes points as `repeated data_points = 1`, from the point `from` on, until the next one would end beyond `maxBytes` of the writer. Gives the
   * index of the first point that was not written.
   */
  writePoints(writer: WireWriter, batch: PointBatch, from: number, maxBytes: number): number;
}

const encodings = {
  delta: new WeakMap<MetricDescription, MetricEncoding>(),
  cumulative: new WeakMap<MetricDescription, MetricEncoding>(),
};

const dataTags = { gauge: 0x2a, sum: 0x3a, histogram: 0x4a, exponential_histogram: 0x52, summary: 0x5a };

/** @param temporality `undefined`, as gauges and summaries have it, is not written */
export function metricEncoding(
  metric: MetricDescription,
  temporality: Temporality | undefined,
): MetricEncoding {
  const known = encodings[temporality ?? 'cumulative'];
  let encoding = known.get(metric);
  if (encoding === undefined) {
    encoding = encode(metric, temporality);
    known.set(metric, encoding);
  }
  return encoding;
}

function encode(metric: MetricDescription, temporality: Temporality | undefined): MetricEncoding {
  const { kind } = metric;
  const writer = new WireWriter(256);
  writer.stringField(0x0a, metric.name);
  writer.stringField(0x12, metric.description);
  writer.stringField(0x1a, metric.unit);
  const described = Uint8Array.from(writer.copy());
  writer.position = 0;
  if (kind !== 'gauge' && kind !== 'summary') {
    writer.varint(0x10);
    writer.varint(temporality === 'delta' ? 1 : 2);
  }
  if (kind === 'sum' && metric.isMonotonic) {
    writer.varint(0x18);
    writer.varint(1);
  }
  const data = Uint8Array.from(writer.copy());
  return { described, dataTag: dataTags[kind], data, writePoints: pointsWriter(metric) };
}

function pointsWriter(metric: MetricDescription): MetricEncoding['writePoints'] {
  switch (metric.kind) {
    case 'sum':
    case 'gauge': {
      const isInt = metric.valueType === 'int';
      return (writer, batch, from, maxBytes) => writeNumberPoints(writer, batch, isInt, from, maxBytes);
    }
    case 'histogram': {
      const bounds = explicitBoundsField(metric.explicitBounds);
      return (writer, batch, from, maxBytes) =>
        writeHistogramPoints(writer, batch, metric, bounds, from, maxBytes);
    }
    case 'exponential_histogram':
      return (writer, batch, from, maxBytes) => writeExponentialPoints(writer, batch, metric, from, maxBytes);
    case 'summary':
      return (writer, batch, from, maxBytes) => writeSummaryPoints(writer, batch, metric, from, maxBytes);
  }
}
