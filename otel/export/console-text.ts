import { type Attributes, attributeText } from '../model/attributes.ts';
import type { MetricDescription } from '../model/metric.ts';
import { type MetricStream, noRecordedValue, type PointBatch } from '../state/point-batch.ts';

/** One point for people: its time, `{resource}`, name, `{attributes}`, value and unit. */
export function pointText(
  resource: string,
  { metric, temporality }: MetricStream,
  batch: PointBatch,
  i: number,
): string {
  const attributes = pairsText(batch.seriesAttributes[i]!.attributes);
  const unit = metric.unit === '' ? '' : ` ${metric.unit}`;
  const delta = temporality === 'delta' ? ' (delta)' : '';
  return `${timeText(batch.timeUs[i]!)} {${resource}} ${metric.name}{${attributes}} ${valueText(metric, batch, i)}${unit}${delta}`;
}

/** `key="value"` for each, with spaces between. */
export function pairsText(attributes: Attributes): string {
  return attributes.map(([key, value]) => `${key}=${JSON.stringify(attributeText(value))}`).join(' ');
}

function timeText(timeUs: number): string {
  const date = new Date(timeUs / 1000);
  return Number.isNaN(date.getTime()) ? '-' : date.toISOString();
}

function valueText(metric: MetricDescription, batch: PointBatch, i: number): string {
  if ((batch.flags[i]! & noRecordedValue) !== 0) return 'no value';
  switch (metric.kind) {
    case 'sum':
    case 'gauge':
      return String(batch.values[i]);
    case 'histogram':
      return histogramText(metric, batch, i);
    case 'exponential_histogram':
      return exponentialText(metric, batch, i);
    case 'summary':
      return summaryText(metric, batch, i);
  }
}

function histogramText(metric: MetricDescription, batch: PointBatch, i: number): string {
  const counts = batch.bucketCounts.subarray(i * batch.bucketCount, (i + 1) * batch.bucketCount);
  const buckets = [...counts].map((n, bucket) => `≤${metric.explicitBounds[bucket] ?? '∞'}:${n}`);
  return [`count=${counts.reduce((all, n) => all + n, 0)}`, ...sumText(metric, batch, i), ...buckets].join(
    ' ',
  );
}

/** Buckets that hold something, by their bound that is farther from zero. */
function exponentialText(metric: MetricDescription, batch: PointBatch, i: number): string {
  const points = batch.exponential;
  const scale = points.scales[i]!;
  const bound = (index: number) => Number((2 ** ((index + 1) * 2 ** -scale)).toPrecision(4));
  const side = (sign: string, offset: number, start: number, length: number) =>
    [...points.counts.subarray(start, start + length)].flatMap((n, b) =>
      n === 0 ? [] : [`${sign}${bound(offset + b)}:${n}`],
    );
  return [
    `count=${points.countOf(i)}`,
    ...sumText(metric, batch, i),
    `scale=${scale}`,
    ...side(
      '≥-',
      points.negativeOffsets[i]!,
      points.negativeStarts[i]!,
      points.negativeLengths[i]!,
    ).reverse(),
    `zero:${points.zeroCounts[i]}`,
    ...side('≤', points.positiveOffsets[i]!, points.positiveStarts[i]!, points.positiveLengths[i]!),
  ].join(' ');
}

function summaryText({ quantiles }: MetricDescription, batch: PointBatch, i: number): string {
  const values = quantiles.map(
    (quantile, q) => `q${quantile}=${batch.quantileValues[i * batch.quantileCount + q]}`,
  );
  return [`count=${batch.counts[i]}`, `sum=${batch.sums[i]}`, ...values].join(' ');
}

function sumText(metric: MetricDescription, batch: PointBatch, i: number): string[] {
  return metric.hasSum ? [`sum=${batch.sums[i]}`] : [];
}
