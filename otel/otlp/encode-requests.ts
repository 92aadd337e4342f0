import type { MetricDescription } from '../model/metric.ts';
import type { Resource } from '../model/resource.ts';
import type { InstrumentationScope } from '../model/scope.ts';
import { batchesOf, type Collection, type MetricStream, PointBatch } from '../state/point-batch.ts';
import { attributesTag, writeAttributes } from './encode-attributes.ts';
import { explicitBoundsField, writeHistogramPoints } from './encode-histogram-points.ts';
import { writeNumberPoints } from './encode-number-points.ts';
import { WireWriter } from './wire-writer.ts';

/** Below gRPC's usual limit of 4 MiB for a message. */
export const defaultMaxRequestBytes = 3.5 * 1024 * 1024;
const smallestMaxBytes = 1024;
const largestMaxBytes = 64 * 1024 * 1024;

/** Points that are not in any request. */
export interface DroppedPoints {
  readonly metric: MetricDescription;
  readonly points: number;
  /** `too_large`: one point with its resource, scope and metric exceeds the request size. `unsupported_kind`: OTLP bytes of this kind cannot be made from columns. */
  readonly cause: 'too_large' | 'unsupported_kind';
}

export interface EncodeOptions {
  /** The largest request, from 1 KiB to 64 MiB. Default {@link defaultMaxRequestBytes}. */
  readonly maxBytes?: number | undefined;
  /** Told of each point that is left out. */
  readonly onDropped?: ((dropped: DroppedPoints) => void) | undefined;
}

/** One ExportMetricsServiceRequest. The bytes are the receiver's own. */
export interface EncodedRequest {
  readonly bytes: Uint8Array;
  readonly points: number;
}

/** One writer and one batch for whoever comes next; encodings that overlap make their own. */
let spare: { writer: WireWriter; batch: PointBatch } | undefined;

/**
 * A collection as ExportMetricsServiceRequests of at most `maxBytes` each, split where a request is full, within the points of a
 * metric too. A collection without points gives no request. Columns are read when the generator gets to them: who holds live
 * state takes all requests before letting it change.
 * @throws RangeError when `maxBytes` is out of range
 */
export function* encodeRequests(
  collection: Collection,
  options: EncodeOptions = {},
): Generator<EncodedRequest> {
  const maxBytes = options.maxBytes ?? defaultMaxRequestBytes;
  if (!(maxBytes >= smallestMaxBytes && maxBytes <= largestMaxBytes)) {
    throw new RangeError(
      `maxBytes is ${maxBytes}: give a request from ${smallestMaxBytes} to ${largestMaxBytes} bytes`,
    );
  }
  const tools = spare ?? { writer: new WireWriter(), batch: new PointBatch() };
  spare = undefined;
  const request = new OpenRequest(tools.writer, maxBytes);
  try {
    for (const { resource, scopes } of collection.resources) {
      for (const { scope, streams } of scopes) {
        for (const stream of streams) {
          for (const batch of batchesOf(stream, tools.batch))
            yield* encodeStream(request, resource, scope, stream, batch, options.onDropped);
        }
        request.endScope();
      }
      request.endResource();
    }
    if (request.points > 0) yield request.take();
  } finally {
    tools.writer.position = 0;
    spare = tools;
  }
}

function* encodeStream(
  request: OpenRequest,
  resource: Resource,
  scope: InstrumentationScope,
  stream: MetricStream,
  batch: PointBatch,
  onDropped: EncodeOptions['onDropped'],
): Generator<EncodedRequest> {
  const { metric } = stream;
  if (metric.kind === 'exponential_histogram' || metric.kind === 'summary') {
    onDropped?.({ metric, points: batch.size, cause: 'unsupported_kind' });
    return;
  }
  const bounds = explicitBoundsField(metric.explicitBounds);
  let next = 0;
  while (next < batch.size) {
    const end = request.addPoints(resource, scope, stream, batch, bounds, next);
    if (end === next && request.points === 0) {
      const points = request.headersFit ? 1 : batch.size - next;
      onDropped?.({ metric, points, cause: 'too_large' });
      next += points;
      continue;
    }
    next = end;
    if (next < batch.size) yield request.take();
  }
}

/** The request being written. Resource and scope are opened with the first of their points, so that nothing empty is sent. */
class OpenRequest {
  points = 0;
  /** False after an attempt to add points to an empty request that had no room for resource, scope and metric alone. */
  headersFit = true;
  readonly #writer: WireWriter;
  readonly #maxBytes: number;
  /** Where the contents of what is open began; 0 when it is not open. */
  #resourceStart = 0;
  #scopeStart = 0;

  constructor(writer: WireWriter, maxBytes: number) {
    this.#writer = writer;
    this.#maxBytes = maxBytes;
    writer.position = 0;
  }

  /** Writes points from `from` on until the request is full; gives the first that is not written. If that is `from`, the request is as it was. */
  addPoints(
    resource: Resource,
    scope: InstrumentationScope,
    stream: MetricStream,
    batch: PointBatch,
    bounds: Uint8Array,
    from: number,
  ): number {
    const writer = this.#writer;
    const before = { position: writer.position, resource: this.#resourceStart, scope: this.#scopeStart };
    if (this.#resourceStart === 0) this.#resourceStart = openResource(writer, resource);
    if (this.#scopeStart === 0) this.#scopeStart = openScope(writer, scope);
    const metricStart = writer.openPadded(0x12);
    const dataStart = openMetric(writer, stream);
    this.headersFit = dataStart <= this.#maxBytes;
    const { metric } = stream;
    const end =
      metric.kind === 'histogram'
        ? writeHistogramPoints(writer, batch, metric, bounds, from, this.#maxBytes)
        : writeNumberPoints(writer, batch, metric.valueType === 'int', from, this.#maxBytes);
    if (end === from) {
      writer.position = before.position;
      this.#resourceStart = before.resource;
      this.#scopeStart = before.scope;
      return from;
    }
    writer.closePadded(dataStart);
    writer.closePadded(metricStart);
    this.points += end - from;
    return end;
  }

  endScope(): void {
    if (this.#scopeStart !== 0) this.#writer.closePadded(this.#scopeStart);
    this.#scopeStart = 0;
  }

  endResource(): void {
    this.endScope();
    if (this.#resourceStart !== 0) this.#writer.closePadded(this.#resourceStart);
    this.#resourceStart = 0;
  }

  /** Ends the request and begins the next. */
  take(): EncodedRequest {
    this.endResource();
    const request = { bytes: this.#writer.copy(), points: this.points };
    this.#writer.position = 0;
    this.points = 0;
    return request;
  }
}

function openResource(writer: WireWriter, resource: Resource): number {
  const start = writer.openPadded(0x0a);
  const inner = writer.open(0x0a);
  writeAttributes(writer, attributesTag.resource, resource.attributes);
  writer.close(inner);
  writer.stringField(0x1a, resource.schemaUrl);
  return start;
}

function openScope(writer: WireWriter, scope: InstrumentationScope): number {
  const start = writer.openPadded(0x12);
  const inner = writer.open(0x0a);
  writer.stringField(0x0a, scope.name);
  writer.stringField(0x12, scope.version);
  writeAttributes(writer, attributesTag.scope, scope.attributes);
  writer.close(inner);
  writer.stringField(0x1a, scope.schemaUrl);
  return start;
}

/** Writes what a Metric says before its points, and opens its Gauge, Sum or Histogram. */
function openMetric(writer: WireWriter, { metric, temporality }: MetricStream): number {
  writer.stringField(0x0a, metric.name);
  writer.stringField(0x12, metric.description);
  writer.stringField(0x1a, metric.unit);
  if (metric.kind === 'gauge') return writer.openPadded(0x2a);
  const start = writer.openPadded(metric.kind === 'sum' ? 0x3a : 0x4a);
  writer.varint(0x10);
  writer.varint(temporality === 'delta' ? 1 : 2);
  if (metric.kind === 'sum' && metric.isMonotonic) {
    writer.varint(0x18);
    writer.varint(1);
  }
  return start;
}
