import assert from 'node:assert/strict';
import { Outputs } from '../../collector/outputs/outputs.ts';
import type { ReaderCursor } from '../../collector/outputs/reader-cursor.ts';
import { SessionCounters } from '../../collector/sessions/session-counters.ts';
import { Sessions } from '../../collector/sessions/sessions.ts';
import { compileViews } from '../../collector/views/compile-views.ts';
import { attributes } from '../../otel/model/attributes.ts';
import { auditLedger } from '../../otel/state/audit-ledger.ts';
import { catalogue, relayedBy, viewConfigs } from './catalogue.ts';
import { FakeStream } from './fake-agent.ts';
import { readCollection } from './read-collection.ts';
import { type ModelPoint, type ModelReader, ReferenceCollector, type Value } from './reference-collector.ts';

export type Began = 'before' | 'after' | 'unknown';

export type Step =
  | { do: 'connect'; member: number; isNewRun: boolean; region: string }
  | { do: 'define'; member: number; of: readonly number[]; isTwice: boolean }
  | { do: 'report'; member: number; group: number; added: readonly number[]; without: number }
  | { do: 'spoil'; member: number; series: number; value: number }
  | { do: 'epoch'; member: number; series: number; began: Began; start: 'told' | 'same' | 'unknown' }
  | { do: 'old epoch'; member: number; series: number }
  | { do: 'retire'; member: number; series: number; reason: 'gone' | 'idle' }
  | { do: 'goodbye' | 'cut'; member: number }
  | { do: 'wait'; seconds: number }
  | { do: 'collect'; reader: number; isDelivered: boolean };

/** What an agent knows of one of its series. */
interface AgentSeries {
  epoch: string;
  previousEpoch: string;
  /** By the collector's clock, which agent and test share. */
  beganAtUs: number | undefined;
  startUs: number;
  value: Value;
  /** Sent once in place of the value. */
  spoilt: number | undefined;
  number: number;
}

class Agent {
  readonly id: string;
  incarnation = 0;
  lastReport = 0;
  stream: FakeStream | undefined;
  welcomeUs = 0;
  readonly series: AgentSeries[] = [];

  constructor(id: string) {
    this.id = id;
  }
}

const birthUs = 1_700_000_000_000_000;

/** Three agents, the collector's core and the model of it, side by side: each step is taken by both, and what they show is compared. */
export class Fleet {
  readonly counters = new SessionCounters();
  readonly outputs: Outputs;
  readonly sessions: Sessions;
  readonly model: ReferenceCollector;
  readonly #agents = [new Agent('a'), new Agent('b'), new Agent('c')];
  readonly #readers: { cursor: ReaderCursor; model: ModelReader }[] = [];
  /** The highest value of each cumulative output under its start time. */
  readonly #highest = new Map<string, readonly number[]>();
  /** Start times that an agent gave to two epochs, or under which it let a counter fall. While the series is held, the collector makes up for it; no longer when it was freed. */
  readonly #brokenStarts = new Set<number>();
  /** The highest value of each counter of jobs that an agent has sent, by epoch: what there is to count. */
  readonly #truth = new Map<string, number>();
  readonly #gone = new Set<string>();
  /** An agent went on with an epoch that it had ended, or let a counter fall within one: what cannot be found out once the state was freed. */
  #isPromiseBroken = false;
  #nowUs = birthUs;
  #epochs = 0;

  constructor() {
    const nowUs = () => this.#nowUs;
    this.outputs = new Outputs({
      nowUs,
      plansFor: compileViews(viewConfigs),
      writerId: 'writer',
      outputExpiryMs: 86_400_000,
    });
    this.sessions = new Sessions({
      store: this.outputs.store,
      counters: this.counters,
      limits: {
        maxMessageBytes: 1e6,
        maxSeries: 1000,
        maxAttributes: 8,
        maxAttributeBytes: 64,
        maxStreams: 9,
        maxMembers: 100,
      },
      position: { directoryId: Buffer.alloc(16), term: Buffer.alloc(8), journalPosition: 0 },
      stalenessMs: 300_000,
      evictionMs: 86_400_000,
      nowUs,
      log: () => {},
    });
    this.model = new ReferenceCollector(birthUs);
    for (const temporality of ['cumulative', 'delta', 'delta'] as const) {
      const model: ModelReader = { temporality, collectedUs: birthUs, deliveredUs: birthUs };
      this.model.readers.push(model);
      this.#readers.push({ cursor: this.outputs.addReader(temporality), model });
    }
    for (const agent of this.#agents)
      for (const { metric } of catalogue)
        agent.series.push({
          epoch: metric.kind === 'gauge' ? '' : `e${++this.#epochs}`,
          previousEpoch: '',
          beganAtUs: birthUs + 500_000,
          startUs: birthUs + 500_000 + ++this.#epochs,
          value: metric.kind === 'histogram' ? [0, 0, 0, 0] : 0,
          spoilt: undefined,
          number: 0,
        });
  }

  /** An agent connects, and defines and reports all it has. */
  join(member: number): void {
    this.take({ do: 'connect', member, isNewRun: true, region: 'r1' });
    this.take({ do: 'define', member, of: catalogue.map((_, index) => index), isTwice: false });
    for (const group of [0, 1])
      this.take({ do: 'report', member, group, added: catalogue.map((_, index) => index), without: -1 });
  }

  take(step: Step): void {
    this.#nowUs += 1_000_000;
    if (step.do === 'wait') {
      this.#nowUs += step.seconds * 1_000_000;
      this.sessions.tick();
      this.model.tick(this.#nowUs);
      this.outputs.sweep();
      this.model.sweep(this.#nowUs);
    } else if (step.do === 'collect') this.#collect(step.reader, step.isDelivered);
    else this.#act(this.#agents[step.member], step);
    this.#compare();
  }

  /** Everything leaves and is swept: nothing is held any more. */
  end(): void {
    for (const agent of this.#agents) this.#disconnect(agent);
    this.take({ do: 'wait', seconds: 86_401 });
    for (let reader = 0; reader < this.#readers.length; reader++)
      this.take({ do: 'collect', reader, isDelivered: true });
    this.take({ do: 'wait', seconds: 5 });
    const { store } = this.outputs;
    const { definitions, resources, epochs: tokens } = store.references;
    assert.deepEqual(
      {
        series: store.seriesCount,
        ended: store.endedCount,
        members: store.members.size,
        clocks: store.clocks.size,
        definitions: definitions.size,
        resources: resources.size,
        epochs: tokens.size,
      },
      { series: 0, ended: 0, members: 0, clocks: 0, definitions: 0, resources: 0, epochs: 0 },
    );
  }

  stop(): void {
    this.sessions.stop();
  }

  #act(agent: Agent, step: Exclude<Step, { do: 'wait' | 'collect' }>): void {
    switch (step.do) {
      case 'connect':
        this.#connect(agent, step.isNewRun, step.region);
        return;
      case 'spoil':
        if (catalogue[step.series].metric.kind !== 'histogram') agent.series[step.series].spoilt = step.value;
        return;
      case 'epoch':
        this.#openEpoch(agent, step.series, step.began, step.start);
        return;
    }
    const { stream } = agent;
    if (stream === undefined) return;
    switch (step.do) {
      case 'define':
        for (const index of step.of) this.#define(agent, index, step.isTwice);
        break;
      case 'report':
        this.#report(agent, stream, step.group, step.added, step.without);
        break;
      case 'old epoch':
        this.#oldEpoch(agent, step.series);
        break;
      case 'retire':
        this.#retire(agent, step.series, step.reason);
        break;
      case 'goodbye':
        stream.goodbye(agent.lastReport);
        assert.equal(stream.ended?.cause, 'goodbye');
        this.model.goodbye(agent.id, this.#nowUs);
        this.#lost(agent);
        break;
      case 'cut':
        this.#disconnect(agent);
    }
  }

  #connect(agent: Agent, isNewRun: boolean, region: string): void {
    const before = agent.stream;
    if (isNewRun || agent.incarnation === 0) {
      agent.incarnation = ++this.#epochs % 250;
      agent.lastReport = 0;
    }
    this.#lost(agent);
    agent.stream = new FakeStream((peer) => this.sessions.open(peer));
    const resource = attributes({ region, host: agent.id });
    agent.stream.hello(agent.id, agent.incarnation, resource);
    agent.welcomeUs = this.#nowUs;
    assert.equal(agent.stream.received[0]?.type, 'welcome', agent.stream.ended?.message);
    if (before !== undefined) assert.equal(before.ended?.cause, 'displaced');
    this.model.connect(agent.id, resource, this.#nowUs);
  }

  #disconnect(agent: Agent): void {
    agent.stream?.session.closed();
    this.model.disconnect(agent.id);
    this.#lost(agent);
  }

  #lost(agent: Agent): void {
    agent.stream = undefined;
    for (const series of agent.series) series.number = 0;
  }

  #define(agent: Agent, index: number, isTwice: boolean): void {
    const series = agent.series[index];
    if (series.number !== 0 && !isTwice) return;
    const number = this.#sendDefine(agent, index);
    // A second number of a series is refused, and the first one goes on.
    if (series.number === 0) series.number = number;
  }

  #sendDefine(agent: Agent, index: number): number {
    const { epoch, beganAtUs, startUs } = agent.series[index];
    const of = catalogue[index];
    if (this.#gone.has(epoch)) this.#isPromiseBroken = true;
    const began = beganAtUs === undefined ? undefined : beganAtUs - agent.welcomeUs;
    const number = agent.stream!.define(of, epoch, epoch === '' ? undefined : began, startUs);
    const known = epoch === '' ? undefined : beganAtUs;
    this.model.define(agent.id, number, of, epoch, known, startUs, this.#nowUs, relayedBy(agent.id));
    return number;
  }

  #report(agent: Agent, stream: FakeStream, group: number, added: readonly number[], without: number): void {
    const values = new Map<number, Value | undefined>();
    agent.series.forEach((series, index) => {
      const of = catalogue[index];
      grow(series, added[index], of.metric.kind === 'sum' && !of.metric.isMonotonic);
      if (of.group !== group || series.number === 0) return;
      values.set(series.number, index === without ? undefined : (series.spoilt ?? series.value));
      if (index === without) return;
      if (of.metric.name === 'jobs' && series.spoilt === undefined)
        this.#truth.set(series.epoch, Math.max(this.#truth.get(series.epoch) ?? 0, series.value as number));
      if (series.spoilt !== undefined) this.#brokenStarts.add(series.startUs);
      if (series.spoilt === 0) this.#isPromiseBroken = true;
      series.spoilt = undefined;
    });
    // Each agent's clock has a place of its own within the second, so that no two values are of one time.
    const timeUs = this.#nowUs + this.#agents.indexOf(agent) + 1;
    if (!stream.report(group, timeUs, values, agent.lastReport + 1)) return;
    agent.lastReport++;
    assert.equal(stream.ended, undefined, stream.ended?.message);
    this.model.report(agent.id, group, timeUs, values, this.#nowUs);
  }

  /** The counter begins anew, by a restart of what is measured. */
  #openEpoch(agent: Agent, index: number, began: Began, start: 'told' | 'same' | 'unknown'): void {
    const series = agent.series[index];
    if (series.epoch === '') return;
    const isDefined = series.number !== 0;
    this.#retire(agent, index, 'gone');
    series.previousEpoch = series.epoch;
    series.epoch = `e${++this.#epochs}`;
    const horizonUs = this.model.horizonUs;
    series.beganAtUs =
      began === 'unknown' ? undefined : began === 'before' ? horizonUs - 1_000_000 : this.#nowUs - 1000;
    // The epoch cannot have begun before the one that it follows; told so, it is no epoch that an agent would open.
    if (start === 'unknown') series.startUs = 0;
    else if (start === 'told') series.startUs = this.#nowUs - 1000 + index;
    else this.#brokenStarts.add(series.startUs);
    series.value =
      typeof series.value === 'number' ? 0.25 * (this.#epochs % 7) : [1, this.#epochs % 3, 0, 0.5];
    series.spoilt = undefined;
    if (isDefined) this.#define(agent, index, false);
  }

  /** Defines with the epoch before, which is refused where the newer one is known, and goes back to the newer one. */
  #oldEpoch(agent: Agent, index: number): void {
    const series = agent.series[index];
    if (series.previousEpoch === '') return;
    this.#retire(agent, index, 'idle');
    const { epoch } = series;
    const refusedBefore = this.model.refused.epoch_old;
    series.epoch = series.previousEpoch;
    const number = this.#sendDefine(agent, index);
    if (this.model.refused.epoch_old > refusedBefore) series.epoch = epoch;
    // Not known to be old: an agent that lies to itself. It goes on with it.
    else {
      this.#isPromiseBroken = true;
      series.previousEpoch = '';
      series.number = number;
    }
  }

  #retire(agent: Agent, index: number, reason: 'gone' | 'idle'): void {
    const series = agent.series[index];
    if (series.number === 0) return;
    agent.stream!.retire(series.number, reason);
    if (reason === 'gone' && series.epoch !== '') this.#gone.add(series.epoch);
    this.model.retire(agent.id, series.number, reason, this.#nowUs);
    series.number = 0;
  }

  #collect(index: number, isDelivered: boolean): void {
    const { cursor, model } = this.#readers[index];
    const found = readCollection(this.outputs.collect(cursor, this.#nowUs));
    equal(found, this.model.collect(model, this.#nowUs));
    if (!isDelivered) return;
    this.outputs.delivered(cursor);
    model.deliveredUs = this.#nowUs;
  }

  /** What a scrape sees, after every step. */
  #compare(): void {
    const found = readCollection(this.outputs.collect(this.outputs.passerBy(), this.#nowUs));
    const model: ModelReader = {
      temporality: 'cumulative',
      collectedUs: birthUs,
      deliveredUs: Number.MAX_SAFE_INTEGER,
    };
    equal(found, this.model.collect(model, this.#nowUs));
    this.#neverFalls(found);
    this.#conserves();
    this.#balances();
    assert.deepEqual(this.counters.refusedPoints, this.model.rejected);
    assert.deepEqual(
      { epoch_old: this.counters.refusedSeries.epoch_old, invalid: this.counters.refusedSeries.invalid },
      this.model.refused,
    );
    assert.equal(this.counters.baselines, this.model.baselines);
    assert.equal(this.outputs.store.seriesCount, this.model.size.series);
    assert.equal(this.outputs.store.horizonUs, this.model.horizonUs);
  }

  /** Counted = shown, under all start times, where nothing was set aside as a baseline or refused; never more than that. */
  #conserves(): void {
    if (this.#isPromiseBroken) return;
    let truth = 0;
    for (const value of this.#truth.values()) truth += value;
    let shown = 0;
    for (const [key, [value]] of this.#highest) if (key.includes(' jobs.all ')) shown += value;
    assert.ok(shown <= truth, `${shown} jobs are shown and ${truth} were counted`);
    const { epoch_fell, not_finite, negative } = this.counters.refusedPoints;
    if (this.counters.baselines + epoch_fell + not_finite + negative === 0) assert.equal(shown, truth);
  }

  /** The book says what the model counted and set aside, and holds against the columns. */
  #balances(): void {
    const found = new Map<string, { counted: number; baseline: number }>();
    for (const line of auditLedger(this.outputs.store)) {
      const { member, metric, counted, baseline } = line;
      assert.ok(line.isBalanced, `${member} ${metric}: ${JSON.stringify(line)}`);
      if (counted === 0 && baseline.amount === 0) continue;
      found.set(`${member} ${metric}`, { counted, baseline: baseline.amount });
    }
    const expected = [...this.model.booked].filter(
      ([, { counted, baseline }]) => counted !== 0 || baseline !== 0,
    );
    assert.deepEqual(found, new Map(expected));
  }

  #neverFalls(found: ReadonlyMap<string, readonly ModelPoint[]>): void {
    for (const [key, points] of found) {
      if (!/^(jobs|bytes|plain|latency)/.test(key)) continue;
      for (const { value, startUs } of points) {
        if (startUs === 0 || this.#brokenStarts.has(startUs)) continue;
        const now = typeof value === 'number' ? [value] : value;
        const before = this.#highest.get(`${startUs} ${key}`);
        now.forEach((part, i) => {
          assert.ok(
            part >= (before?.[i] ?? 0),
            `${key} fell from ${before?.[i]} to ${part} under one start time`,
          );
        });
        this.#highest.set(`${startUs} ${key}`, now);
      }
    }
  }
}

/** Whole numbers and quarters, so that sums in any order are exact. */
function grow(series: AgentSeries, added: number, mayFall: boolean): void {
  if (typeof series.value === 'number') series.value += mayFall ? added - 20 : added * 0.25;
  else if (added > 0) {
    const { value } = series;
    series.value = value.map((part, i) => part + (i === added % 3 ? added : i === 3 ? added * 0.5 : 0));
  }
}

function equal(found: ReadonlyMap<string, ModelPoint[]>, expected: ReadonlyMap<string, ModelPoint[]>): void {
  const [a, b] = [lines(found), lines(expected)];
  if (a.join() !== b.join()) assert.deepEqual(a, b);
}

/** One line a point, in one order. A number and its negative zero are one value. */
function lines(points: ReadonlyMap<string, ModelPoint[]>): string[] {
  const all: string[] = [];
  for (const [key, list] of points)
    for (const { value, startUs, timeUs, isWithoutValue } of list)
      all.push(
        `${key}: ${typeof value === 'number' ? value : value.join(' ')} from ${startUs} to ${timeUs}${isWithoutValue ? ', no recorded value' : ''}`,
      );
  return all.sort();
}
