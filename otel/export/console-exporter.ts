import type { Writable } from 'node:stream';
import { type Attributes, attributeText } from '../model/attributes.ts';
import type { MetricDescription } from '../model/metric.ts';
import type { DroppedPoints } from '../otlp/encode-requests.ts';
import { toOtlpJson } from '../otlp/json.ts';
import {
  batchesOf,
  type Collection,
  type MetricStream,
  noRecordedValue,
  PointBatch,
} from '../state/point-batch.ts';
import type { Encode } from './periodic-reader.ts';
import { type RequestSender, SendError, type SendResult } from './request-sender.ts';

/** `json`: one line of OTLP/JSON for each collection. `text`: one line for each point. */
export type ConsoleFormat = 'json' | 'text';

/** The encoding of a periodic reader that writes for people; its sender is a {@link streamSender}. */
export function consoleEncode(format: ConsoleFormat): Encode {
  return (collection, onDropped) => {
    const { text, points } = format === 'text' ? asText(collection) : asJson(collection, onDropped);
    return points === 0 ? [] : [{ bytes: Buffer.from(text), points }];
  };
}

/** Writes what it is given to a stream, such as standard output, and waits for the stream to take it. The stream stays open. */
export function streamSender(stream: Writable): RequestSender {
  let failure: Error | undefined;
  // Without a listener a closed pipe would end the process.
  const onError = (error: Error): void => {
    failure = error;
  };
  stream.on('error', onError);
  return {
    send(bytes, signal) {
      return new Promise<SendResult>((resolve) => {
        const fail = (cause: Error): void =>
          resolve({
            kind: 'permanent',
            error: new SendError(`cannot write: ${cause.message}`, 'WRITE', { cause }),
          });
        if (failure !== undefined) return fail(failure);
        const onAbort = (): void =>
          resolve({ kind: 'retryable', error: new SendError('the stream takes nothing', 'CANCELLED') });
        signal.addEventListener('abort', onAbort, { once: true });
        stream.write(bytes, (error) => {
          signal.removeEventListener('abort', onAbort);
          if (error) fail(error);
          else resolve({ kind: 'success' });
        });
      });
    },
    close: () => {},
  };
}

function asJson(
  collection: Collection,
  onDropped: (dropped: DroppedPoints) => void,
): { text: string; points: number } {
  const request = toOtlpJson(collection, { onDropped });
  const points = request.resourceMetrics
    .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))
    .reduce(
      (sum, { gauge, sum: data, histogram }) => sum + (gauge ?? data ?? histogram)!.dataPoints.length,
      0,
    );
  return { text: `${JSON.stringify(request)}\n`, points };
}

function asText(collection: Collection): { text: string; points: number } {
  const batch = new PointBatch();
  let text = '';
  let points = 0;
  for (const { resource, scopes } of collection.resources) {
    const resourceText = pairs(resource.attributes);
    for (const { streams } of scopes) {
      for (const stream of streams) {
        for (const { size } of batchesOf(stream, batch)) {
          points += size;
          for (let i = 0; i < size; i++)
            text += `${timeText(batch.timeUs[i]!)} {${resourceText}} ${pointText(stream, batch, i)}\n`;
        }
      }
    }
  }
  return { text, points };
}

function pointText({ metric, temporality }: MetricStream, batch: PointBatch, i: number): string {
  const attributes = pairs(batch.seriesAttributes[i]!.attributes);
  const unit = metric.unit === '' ? '' : ` ${metric.unit}`;
  const delta = temporality === 'delta' ? ' (delta)' : '';
  return `${metric.name}{${attributes}} ${valueText(metric, batch, i)}${unit}${delta}`;
}

function timeText(timeUs: number): string {
  const date = new Date(timeUs / 1000);
  return Number.isNaN(date.getTime()) ? '-' : date.toISOString();
}

function pairs(attributes: Attributes): string {
  return attributes.map(([key, value]) => `${key}=${JSON.stringify(attributeText(value))}`).join(' ');
}

function valueText(metric: MetricDescription, batch: PointBatch, i: number): string {
  if ((batch.flags[i]! & noRecordedValue) !== 0) return 'no value';
  if (metric.kind === 'sum' || metric.kind === 'gauge') return String(batch.values[i]);
  if (metric.kind !== 'histogram') return metric.kind;
  const counts = batch.bucketCounts.subarray(i * batch.bucketCount, (i + 1) * batch.bucketCount);
  const buckets = [...counts].map((n, bucket) => `≤${metric.explicitBounds[bucket] ?? '∞'}:${n}`);
  const sum = metric.hasSum ? ` sum=${batch.sums[i]}` : '';
  return `count=${counts.reduce((all, n) => all + n, 0)}${sum} ${buckets.join(' ')}`;
}
