import { OutputProblems } from '../../../../collector/outputs/output-problems.ts';
import { Outputs } from '../../../../collector/outputs/outputs.ts';
import type { ReaderCursor } from '../../../../collector/outputs/reader-cursor.ts';
import { outputsSection } from '../../../../collector/outputs/snapshot/outputs-snapshot.ts';
import { compileViews } from '../../../../collector/views/compile-views.ts';
import type { ViewConfig } from '../../../../otel/config/metric-views.ts';
import { attributesKey } from '../../../../otel/model/attributes.ts';
import { metricKey } from '../../../../otel/model/metric.ts';
import { SectionsLoading } from '../../../../otel/snapshot/load-sections.ts';
import type { SnapshotChunk } from '../../../../otel/snapshot/snapshot-chunk.ts';
import { SnapshotWriter } from '../../../../otel/snapshot/snapshot-writer.ts';
import { batchesOf, type Collection, PointBatch } from '../../../../otel/state/point-batch.ts';
import { StoreSnapshot } from '../../../../otel/state/snapshot/store-snapshot.ts';

export const readers = [
  { name: 'all', temporality: 'cumulative' },
  { name: 'changes', temporality: 'delta' },
  { name: 'other changes', temporality: 'delta' },
] as const;

/** A store with its outputs and three readers. */
export class Side {
  readonly outputs: Outputs;
  readonly problems: OutputProblems;
  readonly snapshot: StoreSnapshot;
  readonly told: string[] = [];
  cursors: readonly ReaderCursor[] = [];

  constructor(nowUs: () => number, views: readonly ViewConfig[], outputExpiryMs = 3_600_000) {
    this.problems = new OutputProblems((problem, message) =>
      this.told.push(`${JSON.stringify(problem)} ${message}`),
    );
    this.outputs = new Outputs({
      nowUs,
      plansFor: compileViews(views, 300_000),
      writerId: 'writer',
      outputExpiryMs,
      problems: this.problems,
    });
    this.snapshot = new StoreSnapshot(this.outputs.store);
  }

  addReaders(): this {
    this.cursors = readers.map(({ name, temporality }) => this.outputs.addReader(temporality, name));
    return this;
  }

  /** Takes sections of a store and then of its outputs. */
  load(chunks: Iterable<SnapshotChunk>): this {
    const loading = new SectionsLoading(
      new Map([
        ...this.snapshot.loaders,
        [outputsSection.type, (reader) => this.outputs.load(reader)] as const,
      ]),
    );
    for (const chunk of chunks) loading.take(chunk);
    loading.end();
    this.snapshot.finish();
    return this;
  }
}

/** All chunks of a store's copy and its outputs' snapshot, with bytes of their own. */
export function chunksOf(side: Side, outputs = side.outputs.snapshot()): SnapshotChunk[] {
  const writer = new SnapshotWriter();
  const chunks: SnapshotChunk[] = [];
  for (const part of [side.snapshot.write(writer), outputs.chunks(writer)])
    for (const { type, key, bytes } of part) chunks.push({ type, key, bytes: bytes.slice() });
  return chunks;
}

/** Every stream and every field of every point, in order. */
export function dump({ resources }: Collection): string[] {
  const lines: string[] = [];
  const batch = new PointBatch();
  for (const { resource, scopes } of resources)
    for (const { scope, streams } of scopes)
      for (const stream of streams) {
        const { metric, temporality } = stream;
        lines.push(
          `${attributesKey(resource.attributes)} ${resource.schemaUrl} ${scope.name} ${metricKey(metric)} ${metric.description} ${temporality}`,
        );
        for (const { size } of batchesOf(stream, batch))
          for (let i = 0; i < size; i++) lines.push(pointText(batch, i, metric.kind));
      }
  return lines;
}

function pointText(batch: PointBatch, i: number, kind: string): string {
  const fields: unknown[] = [
    attributesKey(batch.seriesAttributes[i].attributes),
    batch.startTimeUs[i],
    batch.timeUs[i],
    batch.flags[i],
  ];
  if (kind === 'sum' || kind === 'gauge') fields.push(batch.values[i]);
  else fields.push(batch.sums[i]);
  if (kind === 'histogram')
    fields.push(...batch.bucketCounts.subarray(i * batch.bucketCount, (i + 1) * batch.bucketCount));
  if (kind === 'summary')
    fields.push(
      batch.counts[i],
      ...batch.quantileValues.subarray(i * batch.quantileCount, (i + 1) * batch.quantileCount),
    );
  if (kind !== 'sum' && kind !== 'gauge' && kind !== 'summary') fields.push(batch.mins[i], batch.maxes[i]);
  if (kind === 'exponential_histogram') {
    const e = batch.exponential;
    const side = (offset: number, start: number, length: number) => [
      offset,
      ...e.counts.subarray(start, start + length),
    ];
    fields.push(e.scales[i], e.zeroThresholds[i], e.zeroCounts[i]);
    fields.push(...side(e.positiveOffsets[i], e.positiveStarts[i], e.positiveLengths[i]), '|');
    fields.push(...side(e.negativeOffsets[i], e.negativeStarts[i], e.negativeLengths[i]));
  }
  return `  ${fields.map((field) => (Object.is(field, -0) ? '-0' : String(field))).join(' ')}`;
}
