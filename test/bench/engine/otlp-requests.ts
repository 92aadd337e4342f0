import { attributes } from '../../../otel/model/attributes.ts';
import { type MetricDescription, metric, type Temporality } from '../../../otel/model/metric.ts';
import { emptyResource } from '../../../otel/model/resource.ts';
import { emptyScope } from '../../../otel/model/scope.ts';
import { encodeRequests } from '../../../otel/otlp/encode-requests.ts';
import { noMore, type PointBatch, type SeriesAttributes } from '../../../otel/state/point-batch.ts';
import { scriptBuckets } from '../streams/report-script.ts';

export const pointsPerRequest = 1000;

const metrics = {
  sum: metric({
    name: 'bench.requests',
    unit: '{request}',
    kind: 'sum',
    isMonotonic: true,
    valueType: 'int',
  }),
  histogram: metric({
    name: 'bench.duration',
    unit: 'ms',
    kind: 'histogram',
    explicitBounds: Array.from({ length: scriptBuckets - 1 }, (_, b) => 2 ** b),
    hasSum: true,
  }),
};

/**
 * OTLP requests of a thousand points of four or six attributes each, over so many series in turn. The second time a series comes, its
 * points begin where those before ended.
 */
export class OtlpRequests {
  readonly #metric: MetricDescription;
  readonly #temporality: Temporality;
  readonly #attributes: SeriesAttributes[];
  readonly #startUs = Date.now() * 1000 - 3600e6;
  #made = 0;

  /** @param attributeCount of each series: 4 or 6 */
  constructor(
    kind: 'sum' | 'histogram',
    temporality: Temporality,
    series: number,
    attributeCount: 4 | 6 = 4,
  ) {
    this.#metric = metrics[kind];
    this.#temporality = temporality;
    this.#attributes = Array.from({ length: series }, (_, i) => ({
      attributes: attributes({
        'http.request.method': ['GET', 'POST', 'PUT'][i % 3]!,
        'http.response.status_code': String(200 + (i % 7)),
        'http.route': `/v1/items/${i % 1000}`,
        'server.address': `server-${i}.example.net`,
        ...(attributeCount === 6 && { 'url.scheme': 'https', 'network.protocol.version': '2' }),
      }),
      otlpNumber: undefined,
      otlpHistogram: undefined,
    }));
  }

  /** Requests until every series has come once. */
  get perRound(): number {
    return this.#attributes.length / pointsPerRequest;
  }

  next(): Uint8Array {
    const round = Math.floor(this.#made / this.perRound);
    const first = (this.#made % this.perRound) * pointsPerRequest;
    this.#made++;
    const stream = {
      metric: this.#metric,
      temporality: this.#temporality,
      read: (batch: PointBatch) => {
        this.#read(batch, first, round);
        return noMore;
      },
    };
    const scopes = [{ scope: emptyScope, streams: [stream] }];
    const [request] = encodeRequests({ timeUs: 0, resources: [{ resource: emptyResource, scopes }] });
    return request!.bytes;
  }

  #read(batch: PointBatch, first: number, round: number): void {
    const isHistogram = this.#metric.kind === 'histogram';
    batch.reset(pointsPerRequest, isHistogram ? scriptBuckets : 0);
    batch.size = pointsPerRequest;
    const isDelta = this.#temporality === 'delta';
    for (let i = 0; i < pointsPerRequest; i++) {
      batch.seriesAttributes[i] = this.#attributes[first + i]!;
      batch.startTimeUs[i] = this.#startUs + (isDelta ? round * 1e6 : 0);
      batch.timeUs[i] = this.#startUs + (round + 1) * 1e6;
      batch.flags[i] = 0;
      const counted = isDelta ? 1 : round + 1;
      if (isHistogram) {
        for (let b = 0; b < scriptBuckets; b++) batch.bucketCounts[i * scriptBuckets + b] = counted * (b + 1);
        batch.sums[i] = counted * 1000;
        batch.mins[i] = NaN;
        batch.maxes[i] = NaN;
      } else batch.values[i] = counted;
    }
  }
}
