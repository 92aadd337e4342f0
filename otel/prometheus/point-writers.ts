import type { PointBatch } from '../state/point-batch.ts';
import { exponentialWriter } from './exponential-buckets.ts';
import type { Family, FamilyPart } from './families.ts';
import { boundText, numberText } from './number-text.ts';
import type { TextPieces } from './text-pieces.ts';

/** Writes the lines of point `i` and gives their number. */
export type PointWriter = (text: TextPieces, batch: PointBatch, i: number, labels: string) => number;

export function pointWriter(family: Family, part: FamilyPart, openMetrics: boolean): PointWriter {
  switch (part.stream.metric.kind) {
    case 'histogram':
      return histogramWriter(family, part, openMetrics);
    case 'exponential_histogram':
      return exponentialWriter(family, part, openMetrics);
    case 'summary':
      return summaryWriter(family, part, openMetrics);
    default:
      return numberWriter(family, part);
  }
}

function numberWriter(family: Family, part: FamilyPart): PointWriter {
  const start = `${family.name}{${part.labels}`;
  return (text, batch, i, labels) => {
    text.out += `${start}${labels}} ${numberText(batch.values[i]!)}\n`;
    return 1;
  };
}

function histogramWriter(family: Family, part: FamilyPart, openMetrics: boolean): PointWriter {
  const { explicitBounds, hasSum } = part.stream.metric;
  const bucketStart = `${family.name}_bucket{${part.labels}`;
  const sumStart = `${family.name}_sum{${part.labels}`;
  const countStart = `${family.name}_count{${part.labels}`;
  // '' for a bound that is no bound of its own, so that no line appears twice: an infinite one, or one that is repeated.
  const bounds = explicitBounds.map((bound, b) =>
    Number.isFinite(bound) && bound !== explicitBounds[b + 1]
      ? `,le="${boundText(bound, openMetrics)}"} `
      : '',
  );
  // A sum over values below zero may fall, and Prometheus would take that for a restart.
  const showSum = hasSum && !(explicitBounds.length > 0 && explicitBounds[0]! < 0);

  return (text, batch, i, labels) => {
    let lines = 2;
    let count = 0;
    const first = i * batch.bucketCount;
    for (let b = 0; b < batch.bucketCount - 1; b++) {
      count += batch.bucketCounts[first + b]!;
      if (bounds[b] === '') continue;
      text.out += `${bucketStart}${labels}${bounds[b]}${count}\n`;
      lines++;
    }
    count += batch.bucketCounts[first + batch.bucketCount - 1]!;
    text.out += `${bucketStart}${labels},le="+Inf"} ${count}\n`;
    if (showSum && batch.sums[i]! >= 0) {
      text.out += `${sumStart}${labels}} ${numberText(batch.sums[i]!)}\n`;
      lines++;
    }
    text.out += `${countStart}${labels}} ${count}\n`;
    return lines;
  };
}

function summaryWriter(family: Family, part: FamilyPart, openMetrics: boolean): PointWriter {
  const { quantiles } = part.stream.metric;
  const start = `${family.name}{${part.labels}`;
  const sumStart = `${family.name}_sum{${part.labels}`;
  const countStart = `${family.name}_count{${part.labels}`;
  const ends = quantiles.map((quantile) => `,quantile="${boundText(quantile, openMetrics)}"} `);
  return (text, batch, i, labels) => {
    const first = i * batch.quantileCount;
    for (let q = 0; q < ends.length; q++)
      text.out += `${start}${labels}${ends[q]}${numberText(batch.quantileValues[first + q]!)}\n`;
    let lines = ends.length + 1;
    // To Prometheus the sum is a counter: below zero it is none.
    if (batch.sums[i]! >= 0) {
      text.out += `${sumStart}${labels}} ${numberText(batch.sums[i]!)}\n`;
      lines++;
    }
    text.out += `${countStart}${labels}} ${numberText(batch.counts[i]!)}\n`;
    return lines;
  };
}
