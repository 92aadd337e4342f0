import { Outputs } from '../../collector/outputs/outputs.ts';
import { compileViews } from '../../collector/views/compile-views.ts';
import { encodeRequests } from '../../otel/otlp/encode-requests.ts';
import { PointIntake } from '../../otel/state/intake/point-intake.ts';
import type { PointOutcome } from '../../otel/state/intake/point-outcome.ts';
import { decodeExportRequest } from '../sinks/export-request.ts';
import { type Row, receivedRows } from './rows.ts';
import type { PlainPoint, PlainStream } from './synthetic-collection.ts';

/** The collector's state and passing outputs, which streams as plain data enter through the point intake. */
export class PointEntry {
  readonly #outputs: Outputs;
  readonly #intake: PointIntake;
  readonly #nowUs: () => number;

  constructor(nowUs: () => number) {
    this.#nowUs = nowUs;
    this.#outputs = new Outputs({
      nowUs,
      plansFor: compileViews([]),
      writerId: 'writer',
      outputExpiryMs: 86_400_000,
    });
    this.#intake = new PointIntake(this.#outputs.store);
  }

  /** Takes every point, and gives what becomes of each. */
  take(streams: readonly PlainStream[]): PointOutcome[] {
    return streams.flatMap((stream) => stream.points.map((point) => this.#point(stream, point)));
  }

  /** What a cumulative reader sends now: encoded as OTLP, and decoded again. */
  rows(): Row[] {
    const collection = this.#outputs.collect(this.#outputs.passerBy(), this.#nowUs());
    return receivedRows([...encodeRequests(collection)].map(({ bytes }) => decodeExportRequest(bytes)));
  }

  #point({ resource, scope, metric, temporality }: PlainStream, point: PlainPoint): PointOutcome {
    const nowUs = this.#nowUs();
    const member = this.#outputs.store.join('member', resource, nowUs);
    const { attributes, startTimeUs, timeUs, histogram } = point;
    const handle = this.#intake.define(member, { scope, metric, attributes, resource: undefined }, nowUs);
    if (typeof handle !== 'number') throw new Error(`${metric.name} is not taken: ${handle}`);
    if (temporality === undefined) return this.#intake.gauge(handle, timeUs, point.value ?? 0, nowUs);
    if (histogram === undefined)
      return this.#intake.sum(handle, temporality, startTimeUs, timeUs, point.value ?? 0, nowUs);
    const { counts, sum, min, max } = histogram;
    const column = Float64Array.from(counts);
    return this.#intake.histogram(
      handle,
      temporality,
      startTimeUs,
      timeUs,
      column,
      0,
      column.length,
      sum,
      min,
      max,
      nowUs,
    );
  }
}
