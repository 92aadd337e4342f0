import assert from 'node:assert/strict';
import { attributes } from '../../otel/model/attributes.ts';
import { emptyScope } from '../../otel/model/scope.ts';
import type { PointOutcome } from '../../otel/state/intake/point-outcome.ts';
import type { Member } from '../../otel/state/members.ts';
import { isNothing, modelHistogram } from '../otel/state/exponential-model.ts';
import { exponentialValue } from '../otel/state/exponential-value.ts';
import { type CatalogueSeries, pointCatalogue } from './catalogue.ts';
import type { FleetWorld } from './fleet-world.ts';
import { firstOf, grown, shownBySource } from './growing-values.ts';
import type { SentPoint } from './model-points.ts';
import { type Amount, isExponential, zeroOf } from './model-values.ts';
import { denseOf } from './report-readings.ts';
import type { PointStep } from './steps.ts';

interface SenderSeries {
  readonly of: CatalogueSeries;
  handle: number;
  /** As it was told last, and the time of the newest point. */
  startUs: number;
  timeUs: number;
  value: Amount;
  /** The point before. */
  last: SentPoint | undefined;
}

/** A source that knows of no epochs, as OTLP's and Prometheus' do: its points go through the point intake and through the model. */
export class FleetSender {
  readonly #id: string;
  readonly #place: number;
  readonly #world: FleetWorld;
  readonly #series: SenderSeries[];
  readonly #resource;
  #member: Member | undefined;

  constructor(place: number, world: FleetWorld) {
    this.#id = `sender-${place}`;
    this.#place = place;
    this.#world = world;
    this.#resource = attributes({ region: 'r1', host: this.#id });
    this.#series = pointCatalogue.map((of) => ({
      of,
      handle: 0,
      startUs: world.nowUs,
      timeUs: world.nowUs,
      value: zeroOf(of.metric),
      last: undefined,
    }));
  }

  send(step: PointStep): void {
    for (let i = 0; i < step.times; i++) this.#send(this.#series[step.series], step, i);
  }

  #send(series: SenderSeries, step: PointStep, turn: number): void {
    const point =
      step.value === 'again' && series.last !== undefined ? series.last : this.#pointOf(series, step, turn);
    series.last = point;
    const { model, nowUs } = this.#world;
    this.#define(series);
    const outcome = this.#take(series, point);
    assert.equal(
      outcome,
      model.points.take(this.#id, series.of, point, nowUs),
      `of the point ${JSON.stringify(point)}`,
    );
    if (outcome !== 'merged' && outcome !== 'baseline' && outcome !== 'fell') return;
    series.timeUs = Math.max(series.timeUs, point.timeUs);
    if (point.startUs !== 0) series.startUs = point.startUs;
  }

  stop(index: number, reason: 'gone' | 'idle'): void {
    const { handle, of } = this.#series[index];
    const { intake, model, nowUs } = this.#world;
    if (!model.points.knows(this.#id, of).series) return;
    intake.retire(handle, reason, nowUs);
    model.points.retire(this.#id, of, reason, nowUs);
  }

  /** Who sends and what it is has to be said once, and again when it was freed. */
  #define(series: SenderSeries): void {
    const { model, intake, outputs, nowUs } = this.#world;
    const { metric, attributes: own } = series.of;
    const known = model.points.knows(this.#id, series.of);
    if (!known.member)
      this.#member = outputs.store.join(this.#id, { attributes: this.#resource, schemaUrl: '' }, nowUs);
    if (known.series) return;
    model.points.define(this.#id, this.#resource, series.of, nowUs);
    const input = { scope: emptyScope, metric, attributes: own, resource: undefined };
    const handle = intake.define(this.#member!, input, nowUs);
    assert.ok(typeof handle === 'number', `${handle}`);
    series.handle = handle;
  }

  #pointOf(
    series: SenderSeries,
    { isSwitched, start, time, value, seed }: PointStep,
    turn: number,
  ): SentPoint {
    const isDelta = (this.#place % 2 === 1) !== isSwitched;
    const { of } = series;
    const { metric } = of;
    // Each sender's clock has a place of its own within the second, so that no two values are of one time.
    const now = this.#world.nowUs + 5 + this.#place + 50_000 * turn;
    const times = { now, same: series.timeUs, late: series.timeUs - 2_500_000, 'long ago': now - 40_000_000 };
    const timeUs = times[time];
    const starts = {
      same: isDelta ? series.timeUs : series.startUs,
      unknown: 0,
      'is time': timeUs,
      later: timeUs - 500_000,
      overlapping: series.timeUs - 300_000,
      older: (isDelta ? series.timeUs : series.startUs) - 5_000_000,
      wavers: series.startUs + (seed % 2 === 0 ? 700_000 : -700_000),
    };
    const startUs = metric.kind === 'gauge' ? 0 : starts[start];
    const temporality = isDelta ? 'delta' : 'cumulative';
    if (value === 'none') return { temporality, startUs: 0, timeUs, value: undefined, min: NaN, max: NaN };
    const held = value === 'less' || isDelta ? firstOf(metric, value === 'less' ? 0 : seed) : series.value;
    const next = grown(metric, held, value === 'same' ? 0 : seed, 1);
    if (!isDelta) series.value = next.value;
    return { temporality, startUs, timeUs, ...shownBySource(next, seed, 1) };
  }

  #take(
    { of, handle }: SenderSeries,
    { temporality, startUs, timeUs, value, min, max }: SentPoint,
  ): PointOutcome {
    const { intake, nowUs } = this.#world;
    if (value === undefined) return intake.withoutValue(handle, timeUs, nowUs);
    if (isExponential(value)) {
      const h = isNothing(value) ? modelHistogram({ ...value, zeroThreshold: 0 }) : value;
      const side = (cells: typeof h.positive) => {
        const { layout, buckets } = denseOf(cells);
        return [layout[0], buckets] as const;
      };
      const point = exponentialValue({ ...h, positive: side(h.positive), negative: side(h.negative) });
      return intake.exponentialHistogram(handle, temporality, startUs, timeUs, point, min, max, nowUs);
    }
    switch (of.metric.kind) {
      case 'gauge':
        return intake.gauge(handle, timeUs, value[0], nowUs);
      case 'sum':
        return intake.sum(handle, temporality, startUs, timeUs, value[0], nowUs);
      case 'summary': {
        const [count, sum, ...quantiles] = value;
        const values = Float64Array.from(quantiles);
        return intake.summary(handle, startUs, timeUs, count, sum, values, 0, values.length, nowUs);
      }
      default: {
        const counts = Float64Array.from(value.slice(0, -1));
        const sum = value[counts.length];
        const width = counts.length;
        return intake.histogram(handle, temporality, startUs, timeUs, counts, 0, width, sum, min, max, nowUs);
      }
    }
  }
}
