import type { Resource } from '../model/resource.ts';
import type { InstrumentationScope } from '../model/scope.ts';
import type { MetricStream, PointBatch } from '../state/point-batch.ts';
import { attributesTag, writeAttributes } from './encode-attributes.ts';
import { metricEncoding } from './metric-encoding.ts';
import type { RequestBuffers } from './request-buffers.ts';
import { WireWriter } from './wire-writer.ts';

/** One ExportMetricsServiceRequest. The bytes are the receiver's own. */
export interface EncodedRequest {
  readonly bytes: Uint8Array;
  readonly points: number;
  /** Lets the bytes' memory be used again: for a receiver who is done with them, and knows that nobody else reads them. */
  readonly release?: (() => void) | undefined;
}

/** So many bytes are written at a time: with attributes that have never been encoded, about two milliseconds. */
const bytesAtATime = 256 * 1024;

/**
 * The request being written. Resource, scope and metric are opened with the first of their points, so that nothing empty is sent, and
 * stay open until they are ended: however often points are added, a stream is one Metric in each request.
 */
export class OpenRequest {
  points = 0;
  /** False after an attempt to add points to an empty request that had no room for resource, scope and metric alone. */
  headersFit = true;
  readonly #writer: WireWriter;
  readonly #maxBytes: number;
  readonly #buffers: RequestBuffers | undefined;
  /** Where the contents of what is open began; 0 when it is not open. */
  #resourceStart = 0;
  #scopeStart = 0;
  #metricStart = 0;
  #dataStart = 0;

  constructor(writer: WireWriter, maxBytes: number, buffers?: RequestBuffers) {
    this.#writer = writer;
    this.#maxBytes = maxBytes;
    this.#buffers = buffers;
    writer.position = 0;
  }

  /**
   * Writes points from `from` on: some, or as many as there is room for. Gives the first that is not written. If that is `from`, the request is
   * full and as it was.
   */
  addPoints(
    resource: Resource,
    scope: InstrumentationScope,
    { metric, temporality }: MetricStream,
    batch: PointBatch,
    from: number,
  ): number {
    const writer = this.#writer;
    const encoding = metricEncoding(metric, temporality);
    const before = { position: writer.position, resource: this.#resourceStart, scope: this.#scopeStart };
    const isOpen = this.#metricStart !== 0;
    if (!isOpen) {
      if (this.#resourceStart === 0) this.#resourceStart = open(writer, 0x0a, resourceFields(resource));
      if (this.#scopeStart === 0) this.#scopeStart = open(writer, 0x12, scopeFields(scope));
      this.#metricStart = open(writer, 0x12, encoding.described);
      this.#dataStart = open(writer, encoding.dataTag, encoding.data);
      this.headersFit = writer.position <= this.#maxBytes;
    }
    const soon = Math.min(this.#maxBytes, writer.position + bytesAtATime);
    let end = encoding.writePoints(writer, batch, from, soon);
    if (end === from && soon < this.#maxBytes)
      end = encoding.writePoints(writer, batch, from, this.#maxBytes);
    if (end === from && !isOpen) {
      writer.position = before.position;
      this.#resourceStart = before.resource;
      this.#scopeStart = before.scope;
      this.#metricStart = 0;
    }
    this.points += end - from;
    return end;
  }

  endStream(): void {
    if (this.#metricStart === 0) return;
    this.#writer.closePadded(this.#dataStart);
    this.#writer.closePadded(this.#metricStart);
    this.#metricStart = 0;
  }

  endScope(): void {
    this.endStream();
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
    const { buffer, position } = this.#writer;
    const { points } = this;
    const buffers = this.#buffers;
    const bytes = buffers?.take(position) ?? Buffer.allocUnsafeSlow(position);
    bytes.set(buffer.subarray(0, position));
    this.#writer.position = 0;
    this.points = 0;
    return buffers === undefined ? { bytes, points } : { bytes, points, release: () => buffers.give(bytes) };
  }
}

/** Opens a large message and writes its first fields. Gives where its contents begin. */
function open(writer: WireWriter, tag: number, fields: Uint8Array): number {
  const start = writer.openPadded(tag);
  writer.ensure(fields.length);
  writer.buffer.set(fields, writer.position);
  writer.position += fields.length;
  return start;
}

const resources = new WeakMap<Resource, Uint8Array>();
const scopes = new WeakMap<InstrumentationScope, Uint8Array>();
const scratch = new WireWriter(1024);

/** `resource` and `schema_url` of ResourceMetrics, made once for each resource. */
function resourceFields(resource: Resource): Uint8Array {
  let fields = resources.get(resource);
  if (fields === undefined) {
    scratch.position = 0;
    const inner = scratch.open(0x0a);
    writeAttributes(scratch, attributesTag.resource, resource.attributes);
    scratch.close(inner);
    scratch.stringField(0x1a, resource.schemaUrl);
    fields = scratch.copy();
    resources.set(resource, fields);
  }
  return fields;
}

/** `scope` and `schema_url` of ScopeMetrics, made once for each scope. */
function scopeFields(scope: InstrumentationScope): Uint8Array {
  let fields = scopes.get(scope);
  if (fields === undefined) {
    scratch.position = 0;
    const inner = scratch.open(0x0a);
    scratch.stringField(0x0a, scope.name);
    scratch.stringField(0x12, scope.version);
    writeAttributes(scratch, attributesTag.scope, scope.attributes);
    scratch.close(inner);
    scratch.stringField(0x1a, scope.schemaUrl);
    fields = scratch.copy();
    scopes.set(scope, fields);
  }
  return fields;
}
