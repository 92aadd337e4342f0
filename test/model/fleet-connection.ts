import assert from 'node:assert/strict';
import { attributes } from '../../otel/model/attributes.ts';
import { type CatalogueSeries, relayedBy } from './catalogue.ts';
import { FakeStream } from './fake-agent.ts';
import type { FleetWorld } from './fleet-world.ts';
import { groupStateOf, type Readings } from './report-readings.ts';

/** A series that is defined, with its epoch, by the collector's clock. */
export interface DefinedSeries {
  readonly of: CatalogueSeries;
  readonly epoch: string;
  readonly beganAtUs: number | undefined;
  readonly startUs: number;
}

/** What became of a definition. */
export interface Definition {
  readonly number: number;
  readonly refusal: string | undefined;
}

/** An agent's processes and their streams: who speaks for its id, and what is said on the stream at hand, to the engine and to the model. */
export class FleetConnection {
  /** How often a stream was welcomed. */
  welcomes = 0;
  readonly #id: string;
  readonly #world: FleetWorld;
  /** The run at hand, and the one before; 0: there was none. */
  #incarnation = 0;
  #incarnationBefore = 0;
  #runs = 0;
  readonly #lastReports = new Map<number, number>();
  #stream: FakeStream | undefined;
  #region = 'r1';
  #welcomeUs = 0;
  /** The metrics and epochs that the stream has been told of. */
  readonly #told = new Set<unknown>();

  constructor(id: string, world: FleetWorld) {
    this.#id = id;
    this.#world = world;
  }

  get isOpen(): boolean {
    return this.#stream !== undefined;
  }

  /** Connects: for the first time, again, after a restart, or where something has changed. Gives whether that was welcomed. */
  connect(isNewRun: boolean, region: string): boolean {
    this.#region = region;
    return this.#connect(isNewRun || this.#incarnation === 0 ? ++this.#runs : this.#incarnation, 'boot');
  }

  /** Another process with this agent's identity, while this one may be connected: a cloned disk, or a run that was thought to be dead. */
  startSecond(of: 'another boot' | 'the run before'): boolean {
    if (of === 'another boot') return this.#connect(++this.#runs, 'another boot');
    return this.#incarnationBefore !== 0 && this.#connect(this.#incarnationBefore, 'boot');
  }

  #connect(incarnation: number, bootId: string): boolean {
    const { sessions, model, nowUs } = this.#world;
    const before = this.#stream;
    const stream = new FakeStream((peer) => sessions.open(peer));
    const resource = attributes({ region: this.#region, host: this.#id });
    stream.hello(this.#id, incarnation, resource, bootId);
    if (model.streams.movesTooOften(this.#id, resource)) {
      assert.equal(stream.ended?.cause, 'limit');
      return false;
    }
    const claim = model.owners.claim(this.#id, incarnation, bootId);
    if (claim === 'clone') {
      assert.equal(stream.ended?.cause, 'clone');
      assert.equal(stream.received.length, 0);
      assert.equal(before?.ended, undefined);
      return false;
    }
    const [welcome] = stream.received;
    assert.equal(welcome?.type, 'welcome', stream.ended?.message);
    if (claim === 'takeover') assert.equal(before?.ended?.cause, 'displaced');
    if (incarnation !== this.#incarnation) this.#incarnationBefore = this.#incarnation;
    this.#incarnation = incarnation;
    assert.ok(welcome.type === 'welcome' && welcome.lastReport <= this.#lastReport);
    this.#stream = stream;
    this.welcomes++;
    this.#told.clear();
    this.#welcomeUs = nowUs;
    model.streams.connect(this.#id, resource, nowUs);
    return true;
  }

  /** The connection is lost. */
  cut(): void {
    if (this.#stream === undefined) return;
    this.#stream.session.closed();
    this.#stream = undefined;
    this.#world.model.disconnect(this.#id);
  }

  goodbye(): void {
    const stream = this.#stream!;
    stream.goodbye(this.#lastReport);
    assert.equal(stream.ended?.cause, 'goodbye');
    this.#stream = undefined;
    this.#world.model.goodbye(this.#id, this.#world.nowUs);
  }

  /** Gives the numbers of the series and why they were refused; `undefined` when that ended the stream. */
  define(list: readonly DefinedSeries[]): readonly Definition[] | undefined {
    const { model, nowUs } = this.#world;
    const stream = this.#stream!;
    const heard = stream.received.length;
    for (const { of, epoch, beganAtUs } of list) this.#told.add(of.metric).add(`${epoch} ${beganAtUs}`);
    const numbers = stream.defineAll(
      list.map(({ of, epoch, beganAtUs, startUs }) => ({
        of,
        epoch,
        beganUs: epoch === '' || beganAtUs === undefined ? undefined : beganAtUs - this.#welcomeUs,
        startTimeUs: startUs,
      })),
    );
    if (stream.ended?.cause === 'limit') {
      // Metrics and epochs are held for the life of a stream, so there may be as many as series in it.
      assert.ok(this.#told.size > model.streams.maxSeries);
      this.#stream = undefined;
      model.disconnect(this.#id);
      return undefined;
    }
    assert.equal(stream.ended, undefined, stream.ended?.message);
    const told = new Map<number, string>();
    for (const message of stream.received.slice(heard)) {
      assert.ok(message.type === 'refuse');
      for (const number of message.series) told.set(number, message.kind);
      if (message.kind === 'limit') assert.ok(message.retryDelayMs! > 0, 'a limit tells when to try again');
    }
    return list.map(({ of, epoch, beganAtUs, startUs }, i) => {
      const number = numbers[i];
      const known = epoch === '' ? undefined : beganAtUs;
      const foreign = relayedBy(this.#id);
      const refusal = model.streams.define(this.#id, number, of, epoch, known, startUs, nowUs, foreign);
      assert.equal(told.get(number), refusal);
      return { number, refusal };
    });
  }

  retire(number: number, reason: 'gone' | 'idle'): void {
    this.#stream!.retire(number, reason);
    this.#world.model.streams.retire(this.#id, number, reason, this.#world.nowUs);
  }

  /** Reports a group by the numbers of its series; `skipped`: how many report numbers are left out. */
  report(group: number, timeUs: number, readings: Readings, skipped: number): void {
    const stream = this.#stream!;
    const columns = stream.columns.groups.get(group);
    if (columns === undefined || columns.places === 0) return;
    const number = this.#lastReport + 1 + skipped;
    stream.send([groupStateOf(columns, timeUs, readings)], number);
    this.#lastReports.set(this.#incarnation, number);
    assert.equal(stream.ended, undefined, stream.ended?.message);
    this.#world.model.streams.report(this.#id, group, timeUs, readings, this.#world.nowUs);
  }

  get #lastReport(): number {
    return this.#lastReports.get(this.#incarnation) ?? 0;
  }
}
