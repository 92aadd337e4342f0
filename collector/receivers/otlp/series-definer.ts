import type { Attributes } from '../../../otel/model/attributes.ts';
import type { MetricDescription } from '../../../otel/model/metric.ts';
import {
  miscountedFlag,
  noRecordedValueFlag,
  valueMissingFlag,
} from '../../../otel/otlp/decode/decoded-points.ts';
import type { MetricPoints, RequestDecoder } from '../../../otel/otlp/decode/request-decoder.ts';
import { problemOf } from '../../../otel/otlp/decode/request-headers.ts';
import type { PointIntake } from '../../../otel/state/intake/point-intake.ts';
import { noRoomReason } from '../../../otel/state/member-room.ts';
import { InvalidDataError } from '../../../proto/error.ts';
import type { RefusalCause } from './otlp-outcome.ts';
import type { Source } from './source-members.ts';

export interface SeriesLimits {
  /** Series of all senders together. */
  readonly maxSeries: number;
  /** Slots of one member, those of series included that have ended and wait for readers. */
  readonly maxSlots: number;
}

/** The series of a point, by its handle, or why it has none. */
export type FoundSeries =
  | {
      readonly cause?: undefined;
      /** 0: it is not known, and the point, which has no value, does not make it known. */
      readonly handle: number;
      readonly hasSum: boolean;
    }
  | { readonly cause: RefusalCause; readonly fieldPath?: string; readonly reason?: string };

/** Finds the series of points that are not known by their bytes, and takes new ones in. */
export class SeriesDefiner {
  readonly #decoder: RequestDecoder;
  readonly #points: PointIntake;
  readonly #limits: SeriesLimits;
  readonly #hasLiveStream: (memberId: string) => boolean;

  constructor(
    decoder: RequestDecoder,
    points: PointIntake,
    limits: SeriesLimits,
    hasLiveStream: (memberId: string) => boolean,
  ) {
    this.#decoder = decoder;
    this.#points = points;
    this.#limits = limits;
    this.#hasLiveStream = hasLiveStream;
  }

  find(group: MetricPoints, row: number, source: Source, nowUs: number): FoundSeries {
    const flags = this.#decoder.points.flags[row]!;
    const hasNoRecordedValue = (flags & noRecordedValueFlag) !== 0;
    if (!hasNoRecordedValue && (flags & valueMissingFlag) !== 0) return { cause: 'no_value' };
    if (!hasNoRecordedValue && (flags & miscountedFlag) !== 0) return { cause: 'shape' };
    let attributes: Attributes;
    let candidates: readonly MetricDescription[];
    try {
      attributes = this.#decoder.attributesOf(row, group.metric);
      candidates = this.#candidates(group, row);
    } catch (error) {
      if (!(error instanceof InvalidDataError)) throw error;
      return { cause: 'invalid', ...problemOf(error) };
    }
    const told = candidates[0]!;
    const input = (metric: MetricDescription) => ({
      scope: group.scope.scope,
      metric,
      attributes,
      resource: source.resource,
    });
    const held = candidates.find((metric) => this.#points.has(source.member, input(metric)));
    if (hasNoRecordedValue && held === undefined) return { handle: 0, hasSum: false };
    const metric = held ?? told;
    // Its sum would be 0 from here on.
    if (metric.hasSum && !told.hasSum && !hasNoRecordedValue && this.#decoder.points.values[row] !== 0)
      return { cause: 'shape', reason: 'the histogram has no sum, and had one before' };
    const { maxSeries, maxSlots } = this.#limits;
    if (held === undefined && this.#points.size >= maxSeries)
      return {
        cause: 'limit',
        reason: `all senders of OTLP have ${this.#points.size} series together; at most ${maxSeries} are allowed (otlp.max_series)`,
      };
    const { member } = source;
    const rules = { maxSlots, hasLiveStream: this.#hasLiveStream(member.id) };
    const handle = this.#points.define(member, input(metric), nowUs, rules);
    if (handle === 'held') return { cause: 'held' };
    if (handle === 'full')
      return {
        cause: 'limit',
        reason: noRoomReason('the service', member, maxSlots),
      };
    if (handle === 'evicted') return { cause: 'unknown_series' };
    this.#remember(row, handle, metric === told || metric.hasSum === told.hasSum, source);
    return { handle, hasSum: metric.hasSum && told.hasSum };
  }

  /** What the series may be. Whether numbers are integers, and whether there is a sum, does not make it another one. */
  #candidates({ metric }: MetricPoints, row: number): readonly MetricDescription[] {
    const { points } = this.#decoder;
    const variant = points.variants[row]!;
    const numbers = this.#decoder.numbersOf(row, metric);
    const told = metric.describe(variant, numbers);
    return metric.kind === 'summary' ? [told] : [told, metric.describe(1 - variant, numbers)];
  }

  #remember(row: number, handle: number, isAsTold: boolean, { stamp }: Source): void {
    const id = this.#decoder.points.series[row]!;
    // Of one that drops its points' sums, each point comes this way.
    if (id !== 0 && isAsTold) this.#decoder.known.keep(id, handle, stamp);
  }
}
