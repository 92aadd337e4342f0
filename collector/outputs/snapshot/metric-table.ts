import { type MetricDescription, metricKey } from '../../../otel/model/metric.ts';
import type { SnapshotReader } from '../../../otel/snapshot/snapshot-reader.ts';
import type { SnapshotWriter } from '../../../otel/snapshot/snapshot-writer.ts';
import { readMetric, writeMetric } from '../../../otel/state/snapshot/metric-record.ts';

/** Writes metric descriptions, each once in a section: from then on it is a number. */
export class MetricTableWriter {
  readonly #byObject = new Map<MetricDescription, number>();
  readonly #byKey = new Map<string, number>();

  write(writer: SnapshotWriter, metric: MetricDescription): void {
    const known = this.#numberOf(metric);
    writer.varint(known);
    if (known === 0) writeMetric(writer, metric);
  }

  /** 0: it is new, and has a number from now on. */
  #numberOf(metric: MetricDescription): number {
    const known = this.#byObject.get(metric);
    if (known !== undefined) return known;
    const key = `${metricKey(metric)}\n${metric.description}`;
    const equal = this.#byKey.get(key);
    const number = equal ?? this.#byKey.size + 1;
    this.#byKey.set(key, number);
    this.#byObject.set(metric, number);
    return equal ?? 0;
  }
}

/** Reads what a {@link MetricTableWriter} wrote. */
export class MetricTableReader {
  readonly #metrics: MetricDescription[] = [];

  read(reader: SnapshotReader): MetricDescription {
    const number = reader.varint(this.#metrics.length, 'the number of a metric');
    if (number > 0) return this.#metrics[number - 1];
    const metric = readMetric(reader);
    this.#metrics.push(metric);
    return metric;
  }
}
