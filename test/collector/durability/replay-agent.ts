import type { Session } from '../../../collector/sessions/session.ts';
import type { SessionPeer } from '../../../collector/sessions/session-host.ts';
import { attributes } from '../../../otel/model/attributes.ts';
import type { CollectorMessage } from '../../../proto/messages/collector-message.ts';
import type { Position } from '../../../proto/messages/position.ts';
import { type CatalogueSeries, catalogueOf } from '../../model/catalogue.ts';
import { FakeStream } from '../../model/fake-agent.ts';
import { firstOf, grown, shownBySource } from '../../model/growing-values.ts';
import { type Amount, type Reading, zeroOf } from '../../model/model-values.ts';
import { groupStateOf } from '../../model/report-readings.ts';
import type { ReplayStep } from './replay-steps.ts';

export type AgentStep = Extract<ReplayStep, { agent: number }>;

interface AgentSeries {
  readonly of: CatalogueSeries;
  epoch: number;
  /** Of the epoch, by the source's clock. */
  startUs: number;
  value: Amount;
  spoilt: number | undefined;
  /** On the stream at hand; 0: not defined there. */
  number: number;
}

/** What an agent needs of the collector. */
export interface AgentSurroundings {
  readonly nowUs: number;
  open(peer: SessionPeer): Session;
  /** Something was said to the agent that is asked here. */
  heard(message: CollectorMessage, agent: ReplayAgent): void;
  /** The agent has said something. */
  said(agent: ReplayAgent, report: number | undefined): void;
}

/** An agent that does what agents do, and more, whatever comes of it. Its values are whole numbers and quarters. */
export class ReplayAgent {
  readonly id: string;
  /** What the last Ack said, as Hello tells it. */
  lastAck: Position | undefined;
  readonly #place: number;
  readonly #around: AgentSurroundings;
  readonly #series: AgentSeries[];
  #stream: FakeStream | undefined;
  #run = 0;
  #reports = 0;

  constructor(place: number, around: AgentSurroundings) {
    this.id = 'abc'[place]!;
    this.#place = place;
    this.#around = around;
    this.#series = catalogueOf(this.id).map((of) => ({
      of,
      epoch: 1,
      startUs: around.nowUs - 1000,
      value: zeroOf(of.metric),
      spoilt: undefined,
      number: 0,
    }));
  }

  take(step: AgentStep): void {
    if (step.do === 'connect') this.#connect(step);
    const stream = this.#stream;
    if (stream === undefined || stream.session.state !== 'open') {
      if (step.do === 'report') this.#grow(step.seed);
      this.#forget();
      return;
    }
    switch (step.do) {
      case 'define':
        this.#define(stream, step);
        break;
      case 'report':
        this.#report(stream, step);
        break;
      case 'spoil': {
        const series = this.#series[step.series]!;
        if (['sum', 'gauge'].includes(series.of.metric.kind)) series.spoilt = step.value;
        break;
      }
      case 'retire': {
        const series = this.#series[step.series]!;
        if (series.number !== 0) stream.retire(series.number, step.reason);
        series.number = 0;
        this.#around.said(this, undefined);
        break;
      }
      case 'goodbye':
        stream.goodbye(this.#reports);
        this.#forget();
        break;
      case 'half close':
        stream.session.receivedEnd();
        this.#forget();
        break;
      case 'nonsense':
        stream.session.receive(Buffer.from('7f0102', 'hex'));
        break;
      case 'cut':
        stream.session.closed();
        this.#forget();
    }
  }

  /** The collector is gone. */
  disconnect(): void {
    this.#forget();
  }

  #forget(): void {
    this.#stream = undefined;
    for (const series of this.#series) series.number = 0;
  }

  #connect({ isNewRun, isOtherBoot, region }: Extract<AgentStep, { do: 'connect' }>): void {
    if (isNewRun || this.#run === 0) {
      this.#run++;
      this.#reports = 0;
    }
    const before = this.#stream;
    this.#forget();
    const stream = new FakeStream((peer) =>
      this.#around.open({
        ...peer,
        send: (bytes) => {
          peer.send(bytes);
          this.#around.heard(stream.received.at(-1)!, this);
        },
      }),
    );
    const resource = attributes({ region, host: this.id });
    const boot = isOtherBoot ? 'another boot' : 'boot';
    stream.hello(this.id, this.#run, resource, boot, this.lastAck);
    this.#around.said(this, undefined);
    // A clone, which this one is not: the first goes on.
    this.#stream = stream.session.state === 'open' ? stream : before;
    if (this.#stream === before) this.#forget();
  }

  #define(stream: FakeStream, { of, epoch, isSeen }: Extract<AgentStep, { do: 'define' }>): void {
    const list = of.map((index) => this.#series[index]!).filter(({ number }) => number === 0);
    for (const series of list) {
      if (epoch !== 'new') continue;
      series.epoch++;
      series.startUs = this.#around.nowUs - 1000;
      series.value = firstOf(series.of.metric, series.epoch);
    }
    if (list.length === 0) return;
    const numbers = stream.defineAll(
      list.map((series) => ({
        of: series.of,
        epoch:
          series.of.metric.kind === 'gauge'
            ? ''
            : `e${series.epoch - (epoch === 'before' && series.epoch > 1 ? 1 : 0)}`,
        beganUs: isSeen ? -1000 : undefined,
        startTimeUs: series.startUs,
      })),
    );
    for (const [i, series] of list.entries()) series.number = numbers[i]!;
    this.#around.said(this, undefined);
  }

  #report(stream: FakeStream, { group, seed, without }: Extract<AgentStep, { do: 'report' }>): void {
    const grownNow = this.#grow(seed);
    const columns = stream.columns.groups.get(group);
    if (columns === undefined || columns.places === 0) return;
    const readings = new Map<number, Reading | undefined>();
    for (const [index, series] of this.#series.entries()) {
      if (series.of.group !== group || series.number === 0) continue;
      const { spoilt } = series;
      const shown =
        spoilt === undefined
          ? shownBySource(grownNow[index]!, seed, index)
          : { value: [spoilt], min: NaN, max: NaN };
      readings.set(series.number, index === without ? undefined : shown);
      if (index !== without) series.spoilt = undefined;
    }
    const timeUs = this.#around.nowUs + this.#place + 1;
    stream.send([groupStateOf(columns, timeUs, readings)], ++this.#reports);
    this.#around.said(this, this.#reports);
  }

  #grow(seed: number): Reading[] {
    return this.#series.map((series, index) => {
      const next = grown(series.of.metric, series.value, seed, index);
      series.value = next.value;
      return next;
    });
  }
}
