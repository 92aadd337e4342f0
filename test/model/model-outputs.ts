import type { ViewStream } from '../../otel/config/metric-views.ts';
import { type Attributes, attributes, attributesKey } from '../../otel/model/attributes.ts';
import type { MetricDescription } from '../../otel/model/metric.ts';
import type { ModelHistogram } from '../otel/state/exponential-model.ts';
import { ModelPoint } from './model-point.ts';
import type { ModelReader, ModelSeries } from './model-series.ts';
import { attributesIn, type ModelOutput, outputsOf, resourceIn } from './model-views.ts';
import { type Shown, shownExponential, shownList } from './shown-points.ts';
import { joinedName, streamName } from './stream-name.ts';

/** The points of one joining output that have a resource in common. */
export interface ModelStream {
  readonly output: ModelOutput;
  /** What leaves, after all that has joined. */
  metric: MetricDescription;
  readonly resourceKey: string;
  /** Members are joined: totals are kept for good. Otherwise they are forgotten with their member. */
  readonly isShared: boolean;
  /** Where the horizon stood when it was made. */
  readonly horizonUs: number;
  /** Where points that are made from now on begin to count. */
  startUs: number;
  readonly points: Map<string, ModelPoint>;
}

const overflow = attributes({ 'otel.metric.overflow': true });
const overflowKey = attributesKey(overflow);

/** What the joining views make of all series: which goes into which point, and when points come and go. */
export class ModelOutputs {
  readonly #birthUs: number;
  /** Streams that take each other's series, but for their bounds, in the order in which they were made; a place that one left is taken again. */
  readonly #streams = new Map<string, (ModelStream | undefined)[]>();
  /** Series that went into an overflow series. */
  overflowed = 0;

  constructor(birthUs: number) {
    this.#birthUs = birthUs;
  }

  /** A new series: into every output of its metric. */
  attach(series: ModelSeries, horizonUs: number): void {
    const { metric, attributes: own } = series.of;
    for (const output of outputsOf(metric)) {
      if (output.way === 'pass') {
        series.passing.push({ output, name: `${attributesKey(series.resource)} ${attributesKey(own)}` });
        continue;
      }
      const stream = this.#streamFor(output, series, horizonUs);
      const point = this.#pointFor(stream, attributesIn(output.stream, own, metric.name), series.member.id);
      point.attach(series);
    }
  }

  /** Series are freed: what they counted stays. */
  free(series: ModelSeries, nowUs: number): void {
    for (const point of series.points) (point as ModelPoint).free(series, nowUs);
  }

  /** Forgets what has had no series since before `idleBeforeUs`. */
  sweep(idleBeforeUs: number, horizonUs: number, nowUs: number): void {
    for (const [identity, variants] of this.#streams) {
      variants.forEach((stream, variant) => {
        if (stream === undefined) return;
        const isOfPresent = !isOfTotals(stream.output);
        for (const [key, point] of stream.points) {
          if (point.series.size > 0 || (!isOfPresent && point.idleSinceUs >= idleBeforeUs)) continue;
          stream.points.delete(key);
          stream.startUs = nowUs;
        }
        const isUsed = [...stream.points.values()].some((point) => point.series.size > 0);
        const isSpent = isOfPresent || (!stream.isShared && horizonUs > stream.horizonUs);
        if (!isUsed && isSpent) variants[variant] = undefined;
      });
      if (variants.every((stream) => stream === undefined)) this.#streams.delete(identity);
    }
  }

  collect(reader: ModelReader, nowUs: number, put: (name: string, shown: Shown) => void): void {
    for (const variants of this.#streams.values())
      for (const stream of variants) if (stream !== undefined) this.#show(stream, reader, nowUs, put);
  }

  #show(
    stream: ModelStream,
    reader: ModelReader,
    nowUs: number,
    put: (name: string, shown: Shown) => void,
  ): void {
    const { output, metric, resourceKey } = stream;
    const { way } = output;
    const isTotal = isOfTotals(output);
    const temporality = isTotal
      ? reader.temporality
      : way === 'distribution'
        ? 'delta'
        : metric.kind === 'sum'
          ? 'cumulative'
          : undefined;
    const name = joinedName(streamName(metric, temporality), stream, resourceKey);
    for (const [key, point] of stream.points) {
      const pointName = joinedName(name, point, key);
      if (isTotal) {
        const isDelta = reader.temporality === 'delta';
        const value = point.take(reader);
        const startUs = isDelta ? reader.collectedUs : point.startUs;
        put(
          pointName,
          Array.isArray(value)
            ? shownList(metric, value, startUs, nowUs)
            : shownExponential(metric, value as ModelHistogram, startUs, nowUs),
        );
      } else if (way === 'distribution') {
        const found = point.distribution(reader, nowUs);
        if (found === undefined) continue;
        put(pointName, shownExponential(metric, found, reader.collectedUs, nowUs, found.min, found.max));
      } else {
        const found = point.reduce(reader, nowUs);
        if (found === undefined) continue;
        const startUs = metric.kind === 'sum' ? this.#birthUs : 0;
        put(pointName, shownList(metric, [found.value], startUs, way === 'last' ? found.timeUs : nowUs));
      }
    }
  }

  #streamFor(output: ModelOutput, series: ModelSeries, horizonUs: number): ModelStream {
    const resource = resourceIn(output.stream, series.resource);
    const resourceKey = attributesKey(resource);
    const identity = `${output.identity} ${resourceKey}`;
    let variants = this.#streams.get(identity);
    if (variants === undefined) {
      variants = [];
      this.#streams.set(identity, variants);
    }
    const taking = variants.find((stream) => stream !== undefined && accepts(stream, series.of.metric));
    if (taking !== undefined) {
      taking.metric = joined(taking.metric, output.metric);
      return taking;
    }
    const isShared = output.stream.resourceKeys !== undefined;
    const startUs = isShared ? this.#birthUs : horizonUs;
    const points = new Map<string, ModelPoint>();
    const made = { output, metric: output.metric, resourceKey, isShared, horizonUs, startUs, points };
    const free = variants.indexOf(undefined);
    if (free < 0) variants.push(made);
    else variants[free] = made;
    return made;
  }

  #pointFor(stream: ModelStream, wanted: Attributes, memberId: string): ModelPoint {
    const key = attributesKey(wanted);
    const known = stream.points.get(key);
    if (known !== undefined) return known;
    if (admits(stream, memberId)) return this.#newPoint(stream, key, memberId);
    this.overflowed++;
    return stream.points.get(overflowKey) ?? this.#newPoint(stream, overflowKey, undefined);
  }

  #newPoint(stream: ModelStream, key: string, maker: string | undefined): ModelPoint {
    const point = new ModelPoint(stream, maker);
    stream.points.set(key, point);
    return point;
  }
}

/** Whether an output adds up what was counted, rather than what is present. */
function isOfTotals({ way }: ModelOutput): boolean {
  return way === 'add' || way === 'convert';
}

/** Explicit histograms fold into bounds that they have. Where the view asks for some, those that have them do not go where they are missing. */
function accepts({ output, metric }: ModelStream, { kind, explicitBounds }: MetricDescription): boolean {
  if (kind !== 'histogram' || output.way === 'convert') return true;
  const has = (bounds: readonly number[], all: readonly number[]) =>
    all.every((bound) => bounds.includes(bound));
  if (!has(explicitBounds, metric.explicitBounds)) return false;
  const wanted = wantedBounds(output.stream);
  return wanted === undefined || has(metric.explicitBounds, wanted) || !has(explicitBounds, wanted);
}

function wantedBounds({ aggregation }: ViewStream): readonly number[] | undefined {
  return typeof aggregation === 'object' && aggregation.kind === 'explicit_bucket_histogram'
    ? aggregation.boundaries
    : undefined;
}

/** Integers and doubles join as doubles; there is a sum if all have one. */
function joined(held: MetricDescription, added: MetricDescription): MetricDescription {
  const valueType = held.valueType === added.valueType ? held.valueType : 'double';
  const hasSum = held.hasSum && added.hasSum;
  if (valueType === held.valueType && hasSum === held.hasSum) return held;
  return { ...held, valueType, hasSum };
}

/** "Limits": one place is for the overflow series; where members are joined, the last tenth of the others is for members that have made few. */
function admits({ output, points, isShared }: ModelStream, memberId: string): boolean {
  const { cardinalityLimit } = output.stream;
  if (cardinalityLimit === undefined) return true;
  const places = cardinalityLimit - 1;
  const made = new Map<string, number>();
  for (const { maker } of points.values())
    if (maker !== undefined) made.set(maker, (made.get(maker) ?? 0) + 1);
  let taken = 0;
  for (const count of made.values()) taken += count;
  if (taken >= places) return false;
  const kept = isShared ? Math.floor(places / 10) : 0;
  return taken < places - kept || (made.get(memberId) ?? 0) < places / (made.size + 1);
}
