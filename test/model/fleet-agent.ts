import { type CatalogueSeries, catalogueOf, siblings } from './catalogue.ts';
import { FleetConnection } from './fleet-connection.ts';
import type { FleetTruth } from './fleet-truth.ts';
import { birthUs, type FleetWorld } from './fleet-world.ts';
import { firstOf, grown, shownBySource } from './growing-values.ts';
import { type Amount, isCounter, type Reading, zeroOf } from './model-values.ts';
import type { Began, Step } from './steps.ts';

/** What an agent knows of one of its series. */
interface AgentSeries {
  readonly of: CatalogueSeries;
  readonly key: string;
  epoch: string;
  previousEpoch: string;
  /** By the collector's clock, which agent and test share. */
  beganAtUs: number | undefined;
  startUs: number;
  value: Amount;
  /** Sent once in place of the value. */
  spoilt: number | undefined;
  /** On the stream at hand; 0: not defined there. */
  number: number;
  /** Over the limit of series: its values are passed over. */
  isRefused: boolean;
}

export type AgentStep = Extract<Step, { member: number }>;

/** One agent of the fleet: what it measures, and what it tells of it. */
export class FleetAgent {
  readonly #world: FleetWorld;
  readonly #truth: FleetTruth;
  readonly #series: AgentSeries[];
  readonly #place: number;
  readonly #connection: FleetConnection;
  /** How far the source's clock is off. */
  #clockUs = 0;

  constructor(id: string, place: number, world: FleetWorld, truth: FleetTruth) {
    this.#place = place;
    this.#world = world;
    this.#truth = truth;
    this.#connection = new FleetConnection(id, world);
    // At first all counters are of one life, as those of a process are.
    const epoch = truth.newEpoch();
    this.#series = catalogueOf(id).map((of, index) => ({
      of,
      key: `${id} ${index}`,
      epoch: of.metric.kind === 'gauge' ? '' : epoch,
      previousEpoch: '',
      beganAtUs: birthUs + 500_000,
      startUs: birthUs + 500_000 + truth.next(),
      value: zeroOf(of.metric),
      spoilt: undefined,
      number: 0,
      isRefused: false,
    }));
  }

  take(step: AgentStep): void {
    switch (step.do) {
      case 'connect':
        this.#clockUs = step.clockUs;
        if (this.#connection.connect(step.isNewRun, step.region)) this.#beginStream();
        return;
      case 'second process':
        if (this.#connection.startSecond(step.of)) this.#beginStream();
        return;
      case 'spoil': {
        const { kind } = this.#series[step.series].of.metric;
        if (kind === 'sum' || kind === 'gauge') this.#series[step.series].spoilt = step.value;
        return;
      }
      case 'epoch':
        this.#openEpoch(this.#series[step.series], step.began, step.start);
        return;
    }
    if (!this.#connection.isOpen) return;
    switch (step.do) {
      case 'define': {
        const wanted = step.of.map((index) => this.#series[index]);
        this.#define(wanted, step.isTwice);
        break;
      }
      case 'report':
        this.#report(step);
        break;
      case 'old epoch':
        this.#oldEpoch(step.series);
        break;
      case 'schema':
        this.#changeSchema(step.series);
        break;
      case 'retire':
        this.#retire(this.#series[step.series], step.reason);
        break;
      case 'goodbye':
        this.#connection.goodbye();
        this.#beginStream();
        break;
      case 'cut':
        this.disconnect();
    }
  }

  disconnect(): void {
    this.#connection.cut();
    this.#beginStream();
  }

  /** Nothing is defined on a new stream, nor where there is none. */
  #beginStream(): void {
    for (const series of this.#series) {
      series.number = 0;
      series.isRefused = false;
    }
  }

  #define(wanted: readonly AgentSeries[], isTwice: boolean): void {
    for (const series of wanted) if (series.isRefused) this.#prepareAgain(series);
    const list = wanted.filter(({ number }) => number === 0 || isTwice);
    for (const series of list) this.#truth.defined(series);
    const definitions = this.#connection.define(list);
    if (definitions === undefined) {
      this.#beginStream();
      return;
    }
    for (const [i, series] of list.entries()) {
      // A second number of a series is refused, and the first one goes on.
      if (series.number !== 0) continue;
      series.number = definitions[i].number;
      series.isRefused = definitions[i].refusal === 'limit';
    }
  }

  /** What was over the limit comes back as the protocol says: under a new number, and a counter with a new epoch. */
  #prepareAgain(series: AgentSeries): void {
    this.#retire(series, 'idle');
    series.isRefused = false;
    if (isCounter(series.of.metric)) this.#openEpoch(series, 'after', 'told');
  }

  /** Another unit, kind or other bounds: one series is gone, and another one of the same name begins. */
  #changeSchema(index: number): void {
    const sibling = siblings.get(index);
    if (sibling === undefined || this.#series[index].number === 0) return;
    this.#retire(this.#series[index], 'gone');
    this.#openEpoch(this.#series[sibling], 'after', 'told');
    this.#define([this.#series[sibling]], false);
  }

  #report({ group, seed, without, skipped }: Extract<Step, { do: 'report' }>): void {
    const readings = new Map<number, Reading | undefined>();
    this.#series.forEach((series, index) => {
      const { of } = series;
      const next = grown(of.metric, series.value, seed, index);
      series.value = next.value;
      if (of.group !== group || series.number === 0) return;
      readings.set(series.number, index === without ? undefined : this.#shown(series, next, seed, index));
      if (index === without) return;
      this.#truth.reported(series);
      series.spoilt = undefined;
    });
    // Each agent's clock has a place of its own within the second, and so has each stream, so that no two values are of one time.
    const timeUs = this.#world.nowUs + this.#clockUs + this.#place + 1 + 10 * this.#connection.welcomes;
    this.#connection.report(group, timeUs, readings, skipped);
  }

  #shown(series: AgentSeries, next: Reading, seed: number, index: number): Reading {
    return series.spoilt === undefined
      ? shownBySource(next, seed, index)
      : { value: [series.spoilt], min: NaN, max: NaN };
  }

  /** The counter begins anew, by a restart of what is measured. */
  #openEpoch(series: AgentSeries, began: Began, start: 'told' | 'same' | 'unknown'): void {
    if (series.epoch === '') return;
    const { model, nowUs } = this.#world;
    const isDefined = series.number !== 0;
    this.#retire(series, 'gone');
    series.previousEpoch = series.epoch;
    series.epoch = this.#truth.newEpoch();
    const beforeUs = model.members.horizonUs - 1_000_000;
    series.beganAtUs = began === 'unknown' ? undefined : began === 'before' ? beforeUs : nowUs - 1000;
    // The epoch cannot have begun before the one that it follows; told so, it is no epoch that an agent would open.
    if (start === 'unknown') series.startUs = 0;
    else if (start === 'told') series.startUs = nowUs - 1000 + this.#series.indexOf(series);
    else this.#truth.breakStart(series.startUs);
    series.value = firstOf(series.of.metric, this.#truth.next());
    series.spoilt = undefined;
    if (isDefined) this.#define([series], false);
  }

  /** Defines with the epoch before, which is refused where the newer one is known, and goes back to the newer one. */
  #oldEpoch(which: number): void {
    const candidates = this.#series.filter(
      ({ previousEpoch, isRefused }) => previousEpoch !== '' && !isRefused,
    );
    if (candidates.length === 0) return;
    const series = candidates[which % candidates.length];
    this.#retire(series, 'idle');
    const { epoch } = series;
    series.epoch = series.previousEpoch;
    this.#truth.defined(series);
    const definitions = this.#connection.define([series]);
    const [definition] = definitions ?? [];
    if (definition?.refusal === undefined && definition !== undefined) {
      // Not known to be old: an agent that lies to itself. It goes on with it.
      this.#truth.isPromiseBroken = true;
      series.previousEpoch = '';
      series.number = definition.number;
      return;
    }
    series.epoch = epoch;
    if (definition === undefined) this.#beginStream();
    else if (definition.refusal === 'limit') this.#connection.retire(definition.number, 'idle');
  }

  #retire(series: AgentSeries, reason: 'gone' | 'idle'): void {
    if (series.number === 0) return;
    this.#connection.retire(series.number, reason);
    if (reason === 'gone') this.#truth.gone(series);
    series.number = 0;
  }
}
