import { silentLog } from '../../../agent/log.ts';
import { AgentState } from '../../../agent/state/agent-state.ts';
import { SamplingGroup } from '../../../agent/state/sampling-group.ts';
import { Refusals } from '../../../agent/uplink/refusals.ts';
import { StreamReports } from '../../../agent/uplink/stream-reports.ts';
import type { Session } from '../../../collector/sessions/session.ts';
import { HeldSeries } from '../../../otel/stream/held-series.ts';
import { StreamCounters } from '../../../otel/stream/stream-status.ts';
import { encodeAgentMessage } from '../../../proto/messages/agent-message.ts';
import { type CollectorMessage, decodeCollectorMessage } from '../../../proto/messages/collector-message.ts';
import type { Core } from '../../collector/core.ts';
import type { FakeClock } from '../fake-clock.ts';
import { KeptSource } from './kept-source.ts';
import { type MemoryDisk, MemoryStorage } from './memory-storage.ts';

/** What is on its way to the collector. */
interface Sent {
  readonly bytes: Buffer;
  /** Values by epoch, if it is a report. */
  readonly values: ReadonlyMap<string, number>;
}

export interface World {
  readonly core: Core;
  readonly clock: FakeClock;
  readonly disk: MemoryDisk;
  /** By epoch, the greatest value that the collector was told. */
  readonly merged: Map<string, number>;
}

/** One run of an agent without a network: what it writes waits until the test hands it on, and so do acknowledgements. */
export class SimulatedAgent {
  readonly source = new KeptSource();
  readonly state: AgentState;
  readonly storage: MemoryStorage;
  readonly group: SamplingGroup;
  /** Series for which the collector said that it has no room. */
  leftOut = 0;
  readonly #world: World;
  readonly #incarnation: Buffer;
  readonly #collect: () => void;
  readonly #counters = new StreamCounters();
  readonly #held = new HeldSeries();
  readonly #refusals: Refusals;
  #stream: { reports: StreamReports; session: Session; sent: Sent[] } | undefined;

  constructor(world: World, run: number) {
    const { clock, disk } = world;
    this.#world = world;
    this.storage = new MemoryStorage(disk);
    this.#incarnation = Buffer.alloc(16);
    this.#incarnation.writeUInt32BE(run + 1);
    const incarnation = this.#incarnation.toString('hex');
    this.state = new AgentState({
      incarnation,
      clock,
      log: silentLog,
      bootClockMs: () => clock.monotonicMs(),
    });
    this.#refusals = new Refusals({ clock, log: silentLog, counters: this.#counters });
    this.group = new SamplingGroup(0, 1000, incarnation, this.state.lives);
    const made = this.source.definition().make(this.group);
    this.#collect = () => made.collect();
    this.state.open({ memberId: 'm', bootId: 'boot' }, this.storage, () => {});
  }

  get isConnected(): boolean {
    return this.#stream !== undefined;
  }

  collect(): void {
    this.#collect();
    this.group.timeUs = this.#world.clock.nowUs();
    this.group.collections++;
    this.state.collected();
    if (this.#stream !== undefined) this.#cut();
  }

  connect(): void {
    const { core, clock } = this.#world;
    if (this.#stream !== undefined) return;
    const inbox: CollectorMessage[] = [];
    let ready = false;
    const session = core.sessions.open({
      address: 'simulated',
      send: (bytes) => {
        const message = decodeCollectorMessage(bytes);
        if (ready) this.#receive(message);
        else inbox.push(message);
      },
      end: (cause, message) => {
        throw new Error(`the collector ended the stream: ${cause}, ${message}`);
      },
    });
    session.receive(
      encodeAgentMessage({
        type: 'hello',
        protocolVersion: 1,
        memberId: 'm',
        incarnation: this.#incarnation,
        bootId: 'boot',
        resource: [],
        resourceSchemaUrl: '',
        capabilities: [],
        clockUs: clock.nowUs(),
        lastAck: this.state.position,
        userAgent: '',
        ackDelayMs: 60_000,
      }),
    );
    const [welcome] = inbox;
    if (welcome?.type !== 'welcome') throw new Error(`${welcome?.type} came before Welcome`);
    ready = true;
    this.state.welcomed(welcome.lastReport);
    const sent: Sent[] = [];
    const reports = new StreamReports({
      groups: () => [this.group],
      clock,
      held: this.#held,
      state: this.state,
      counters: this.#counters,
      limits: welcome.limits,
      welcomeMs: clock.monotonicMs(),
      writeControl: (message) => sent.push({ bytes: encodeAgentMessage(message), values: new Map() }),
      writeReport: (bytes) => sent.push({ bytes: Buffer.from(bytes), values: this.#told() }),
      onLeftOut: () => {
        this.leftOut++;
      },
    });
    this.#stream = { reports, session, sent };
    this.#cut();
  }

  /** The collector gets so many of the messages that are on their way. */
  deliver(messages: number): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    for (const { bytes, values } of stream.sent.splice(0, messages)) {
      stream.session.receive(bytes);
      for (const [epoch, value] of values)
        this.#world.merged.set(epoch, Math.max(this.#world.merged.get(epoch) ?? 0, value));
    }
  }

  /** The collector acknowledges what it has. */
  acknowledge(): void {
    const stream = this.#stream;
    if (stream === undefined || stream.session.reports === 0) return;
    this.state.acknowledged(stream.session.lastReport, undefined);
  }

  cut(): void {
    this.#stream?.session.closed();
    this.#stream = undefined;
  }

  /** The values that it has not been told that a collector has, by epoch. */
  held(): Map<string, number> {
    const values = new Map<string, number>();
    for (const { series, group, cell } of this.state.lives.kept)
      values.set(series.epoch!.token, group.values[cell]!);
    for (const { series, value } of this.state.finals.unacknowledged())
      values.set(series.epoch!.token, value);
    return values;
  }

  #cut(): void {
    this.#stream!.reports.cut();
  }

  /** What the report that is written now holds. */
  #told(): Map<string, number> {
    const { book } = this.#stream!.reports;
    const values = new Map<string, number>();
    for (const [group, columns] of book.columns.groups)
      if (group === 0)
        for (let i = 0; i < columns.sums.size; i++) {
          const cell = columns.sums.attached[i]!;
          values.set(this.group.seriesAt(cell)!.epoch!.token, this.group.values[cell]!);
        }
    // A report of final states comes before their numbers are known here.
    for (const state of this.state.finals.unacknowledged())
      if (!values.has(state.series.epoch!.token) && this.#isInFinals(state.series.epoch!.token))
        values.set(state.series.epoch!.token, state.value);
    return values;
  }

  #isInFinals(token: string): boolean {
    const { book } = this.#stream!.reports;
    const finals = book.columns.groups.get(65_535);
    if (finals === undefined) return false;
    for (let i = 0; i < finals.sums.size; i++)
      if (book.placeOf(finals.sums.numbers[i]!)?.series.epoch?.token === token) return true;
    return false;
  }

  #receive(message: CollectorMessage): void {
    if (message.type === 'refuse' && this.#stream !== undefined)
      this.#refusals.handle(message, this.#stream.reports);
  }
}
