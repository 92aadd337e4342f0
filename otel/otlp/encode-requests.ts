import type { MetricDescription } from '../model/metric.ts';
import { type Collection, noMore, PointBatch, placesPerRead } from '../state/point-batch.ts';
import { type EncodedRequest, OpenRequest } from './open-request.ts';
import type { RequestBuffers } from './request-buffers.ts';
import { WireWriter } from './wire-writer.ts';

export type { EncodedRequest } from './open-request.ts';

/** Below gRPC's usual limit of 4 MiB for a message. */
export const defaultMaxRequestBytes = 3.5 * 1024 * 1024;
const smallestMaxBytes = 1024;
const largestMaxBytes = 64 * 1024 * 1024;

/** What a stream costs beside its points, as so many points. */
const streamWork = 8;

/** Points that are not in any request. */
export interface DroppedPoints {
  readonly metric: MetricDescription;
  readonly points: number;
  /** `too_large`: one point with its resource, scope and metric exceeds the request size. */
  readonly cause: 'too_large';
}

export interface EncodeOptions {
  /** The largest request, from 1 KiB to 64 MiB. Default {@link defaultMaxRequestBytes}. */
  readonly maxBytes?: number | undefined;
  /** Told of each point that is left out. */
  readonly onDropped?: ((dropped: DroppedPoints) => void) | undefined;
  /** Where the requests' bytes come from. Default: new ones each time. */
  readonly buffers?: RequestBuffers | undefined;
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
): Generator<EncodedRequest, void> {
  for (const request of encodeInSteps(collection, options)) if (request !== undefined) yield request;
}

/**
 * The same in steps of a millisecond or two, so that a caller can let others run in between: gives a request when one is full, and
 * `undefined` where it has merely done some work. State that goes on changing between steps is seen as it is when it is read.
 * @throws RangeError when `maxBytes` is out of range
 */
export function* encodeInSteps(
  collection: Collection,
  options: EncodeOptions = {},
): Generator<EncodedRequest | undefined, void> {
  const { maxBytes = defaultMaxRequestBytes, onDropped, buffers } = options;
  if (!(maxBytes >= smallestMaxBytes && maxBytes <= largestMaxBytes)) {
    throw new RangeError(
      `maxBytes is ${maxBytes}: give a request from ${smallestMaxBytes} to ${largestMaxBytes} bytes`,
    );
  }
  const tools = spare ?? { writer: new WireWriter(), batch: new PointBatch() };
  spare = undefined;
  const { batch } = tools;
  const request = new OpenRequest(tools.writer, maxBytes, buffers);
  let work = 0;
  try {
    for (const { resource, scopes } of collection.resources) {
      for (const { scope, streams } of scopes) {
        for (const stream of streams) {
          for (let at = 0; at !== noMore; ) {
            at = stream.read(batch, at);
            for (let next = 0; next < batch.size; ) {
              const end = request.addPoints(resource, scope, stream, batch, next);
              if (end > next) {
                next = end;
                if (next < batch.size) yield undefined;
              } else if (request.points > 0) {
                yield request.take();
              } else {
                const points = request.headersFit ? 1 : batch.size - next;
                onDropped?.({ metric: stream.metric, points, cause: 'too_large' });
                next += points;
              }
            }
            work += streamWork + batch.size;
            if (at === noMore && work < placesPerRead) continue;
            work = 0;
            yield undefined;
          }
          request.endStream();
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
