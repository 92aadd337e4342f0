import { noRecordedValueFlag } from '../../../otel/otlp/decode/decoded-points.ts';
import type { KnownBytes } from '../../../otel/otlp/decode/known-bytes.ts';
import {
  type DecodeLimits,
  type MetricPoints,
  RequestDecoder,
} from '../../../otel/otlp/decode/request-decoder.ts';
import { requestFromJson } from '../../../otel/otlp/decode/request-from-json.ts';
import type { PointIntake } from '../../../otel/state/intake/point-intake.ts';
import type { PointOutcome } from '../../../otel/state/intake/point-outcome.ts';
import type { MetricStore } from '../../../otel/state/metric-store.ts';
import type { StateRules } from '../../durability/state-rules.ts';
import type { Grant } from '../../security/grant.ts';
import { maxSlotsOf } from '../../sessions/stream-series.ts';
import { feedPoint } from './feed-point.ts';
import { isRefused, type MemberOutcome, OtlpOutcome, type RefusalCause } from './otlp-outcome.ts';
import { SeriesDefiner, type SeriesLimits } from './series-definer.ts';
import { type Source, SourceMembers } from './source-members.ts';

export type OtlpFormat = 'protobuf' | 'json';

export interface OtlpIntakeLimits extends DecodeLimits, SeriesLimits {}

export interface OtlpIntakeOptions {
  readonly store: MetricStore;
  readonly points: PointIntake;
  readonly limits: OtlpIntakeLimits;
  /** Whether an agent's stream speaks for the member at present, and whether one ever has. */
  readonly hasLiveStream: (memberId: string) => boolean;
  readonly isAgent: (memberId: string) => boolean;
  /** What is known from earlier requests; it says nothing but how fast something is found. */
  readonly known?: KnownBytes;
}

/** What the rules of the state come to. */
export function otlpLimits({ limits, otlp }: Pick<StateRules, 'limits' | 'otlp'>): OtlpIntakeLimits {
  return {
    // Each series may come in a few encodings, and has headers above it.
    maxKnown: 2 * otlp.maxSeries,
    maxPoints: otlp.maxPoints,
    maxAttributes: limits.maxAttributes,
    maxAttributeBytes: limits.maxAttributeBytes,
    maxSeries: otlp.maxSeries,
    maxSlots: maxSlotsOf(limits),
  };
}

/** What two processes with one identity make of each other's points. */
const contested: ReadonlySet<PointOutcome> = new Set(['epoch_old', 'overlap', 'fell']);

/**
 * Takes OTLP requests into the store. What a request changes follows from its bytes, its format, its time, its grant and the state alone, so that
 * the same calls make the same state again.
 */
export class OtlpIntake {
  readonly #store: MetricStore;
  readonly #points: PointIntake;
  readonly #decoder: RequestDecoder;
  readonly #sources: SourceMembers;
  readonly #definer: SeriesDefiner;

  constructor({ store, points, limits, hasLiveStream, isAgent, known }: OtlpIntakeOptions) {
    this.#store = store;
    this.#points = points;
    this.#decoder = new RequestDecoder(limits, known);
    this.#sources = new SourceMembers(store, isAgent);
    this.#definer = new SeriesDefiner(this.#decoder, points, limits, hasLiveStream);
  }

  /**
   * Takes a whole request, or, when it is malformed, nothing of it.
   * @param bytes an ExportMetricsServiceRequest, not compressed; not kept
   * @param nowUs its arrival, by the store's clock
   * @param grant what its sender may write, where that has bounds
   * @param onDecoded called when the request is well-formed, before anything of it is taken in; nothing is when it throws
   * @throws InvalidDataError naming the field, for what is no such request
   */
  take(
    bytes: Uint8Array,
    format: OtlpFormat,
    nowUs: number,
    grant: Grant | undefined,
    onDecoded: () => void = () => {},
  ): OtlpOutcome {
    const decoder = this.#decoder;
    decoder.decode(format === 'json' ? requestFromJson(bytes) : bytes, SourceMembers.root(grant));
    onDecoded();
    const outcome = new OtlpOutcome();
    outcome.points = decoder.points.size;
    outcome.exemplars = decoder.exemplars;
    const members = new Map<string, MemberOutcome>();
    for (const group of decoder.metrics) this.#take(group, nowUs, grant, outcome, members);
    outcome.members.push(...members.values());
    decoder.clear();
    return outcome;
  }

  #take(
    group: MetricPoints,
    nowUs: number,
    grant: Grant | undefined,
    outcome: OtlpOutcome,
    members: Map<string, MemberOutcome>,
  ): void {
    const { resource, scope, metric, from, to } = group;
    const source = this.#sources.of(resource, grant, nowUs);
    if ('cause' in source) {
      const { cause, fieldPath, reason } = source;
      // Who may not write this is not told of in anybody's name.
      this.#store.ledger.refuse('', '', cause, to - from, 0);
      if (cause === 'denied') outcome.denials.add(reason);
      outcome.refuse(cause, to - from, () => `resource_metrics[${group.place[0]}].${fieldPath}`, reason);
      return;
    }
    const problem = metric.problem ?? scope.problem;
    if (problem !== undefined) {
      const name = metric.problem === undefined ? metric.name : '';
      this.#store.ledger.refuse(source.member.id, name, 'invalid', to - from, 0);
      const path = this.#decoder.pathOf(group, from).replace(/\.[^.]+\.data_points\[0\]$/, '');
      const place = metric.problem === undefined ? path.replace(/\.metrics\[\d+\]$/, '') : path;
      outcome.refuse('invalid', to - from, () => joined(place, problem.fieldPath), problem.reason);
      return;
    }
    let of = members.get(source.member.id);
    if (of === undefined) {
      of = { id: source.member.id, taken: 0, contested: 0 };
      members.set(source.member.id, of);
    }
    this.#takePoints(group, source, nowUs, outcome, of);
  }

  /** Hot path: a point of a series that is known costs the feeding of the state, and two reads to find it. */
  #takePoints(
    group: MetricPoints,
    source: Source,
    nowUs: number,
    outcome: OtlpOutcome,
    of: MemberOutcome,
  ): void {
    const { metric, from, to } = group;
    const { points, known } = this.#decoder;
    const intake = this.#points;
    const { stamp } = source;
    let merged = 0;
    for (let row = from; row < to; row++) {
      const id = points.series[row]!;
      if (id !== 0 && points.flags[row] === 0 && known.stampOf(id) === stamp) {
        const handle = known.handleOf(id);
        const result = feedPoint(intake, metric, points, row, handle, points.variants[row] === 1, nowUs);
        if (result === 'merged') merged++;
        else if (result === 'unknown_series') this.#takeSlowly(group, row, source, nowUs, outcome, of);
        else this.#count(result, group, row, source, outcome, of);
      } else this.#takeSlowly(group, row, source, nowUs, outcome, of);
    }
    if (merged > 0) outcome.count('merged', merged);
    of.taken += merged;
  }

  /** A point whose series is looked for, or that says something else than a value. */
  #takeSlowly(
    group: MetricPoints,
    row: number,
    source: Source,
    nowUs: number,
    outcome: OtlpOutcome,
    of: MemberOutcome,
  ): void {
    const found = this.#definer.find(group, row, source, nowUs);
    if (found.cause !== undefined) {
      this.#refuse(found.cause, group, row, source, outcome, found.fieldPath, found.reason);
      return;
    }
    const { points } = this.#decoder;
    const { handle } = found;
    if ((points.flags[row]! & noRecordedValueFlag) !== 0) {
      // A series that is not known is without a value anyway.
      const result =
        handle === 0 ? 'without_value' : this.#points.withoutValue(handle, points.timeUs[row]!, nowUs);
      this.#count(result, group, row, source, outcome, of);
      return;
    }
    const result = feedPoint(this.#points, group.metric, points, row, handle, found.hasSum, nowUs);
    this.#count(result, group, row, source, outcome, of);
  }

  #count(
    result: PointOutcome,
    group: MetricPoints,
    row: number,
    source: Source,
    outcome: OtlpOutcome,
    of: MemberOutcome,
  ): void {
    if (contested.has(result)) of.contested++;
    if (isRefused(result)) this.#refuse(result, group, row, source, outcome);
    else {
      if (result === 'merged' || result === 'baseline') of.taken++;
      outcome.count(result);
    }
  }

  #refuse(
    cause: RefusalCause,
    group: MetricPoints,
    row: number,
    { member }: Source,
    outcome: OtlpOutcome,
    fieldPath = '',
    reason?: string,
  ): void {
    const { metric } = group;
    const isCounter = metric.isMonotonic || metric.kind.endsWith('histogram');
    // What a delta holds is lost with it; a cumulative point's is in the next one.
    const value = metric.temporality === 'delta' && isCounter ? this.#decoder.points.values[row]! : 0;
    const amount = value > 0 && Number.isFinite(value) ? value : 0;
    this.#store.ledger.refuse(member.id, metric.name, cause, 1, amount);
    outcome.refuse(cause, 1, () => joined(this.#decoder.pathOf(group, row), fieldPath), reason);
  }
}

function joined(path: string, fieldPath: string): string {
  return fieldPath === '' ? path : `${path}.${fieldPath}`;
}
