import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { metric } from '../../../otel/model/metric.ts';
import { SyntheticAgent } from '../../agents/synthetic-agent.ts';
import type { Random } from '../../integration/conservation/random.ts';
import { passing } from './collector-file.ts';

const kernelIo = metric({ name: passing.kernel, kind: 'sum', isMonotonic: true, valueType: 'int' });

/**
 * A member that counts and reports over the stream, and knows what of it has been acknowledged. Built on the codecs, not on the agent: it can stay away for ever.
 */
export class CountingMember {
  readonly id: string;
  value = 0;
  /** The most that has been sent, and that has been acknowledged. */
  sent = 0;
  acknowledged = 0;
  reports = 0;
  /** Streams that were welcomed. */
  streams = 0;
  refusals = 0;
  readonly everyMs: number;
  readonly #random: Random;
  readonly #port: () => number;
  readonly #incarnation = randomBytes(16);
  #lastReport = 0;
  #beganMs: number | undefined;
  #agent: SyntheticAgent | undefined;
  #isLeaving = false;
  #isGone = false;
  #running: Promise<void> | undefined;

  /** @param port of the collector, or what stands before it, asked before each stream */
  constructor(id: string, port: () => number, random: Random, everyMs = 5) {
    this.id = id;
    this.#port = port;
    this.#random = random;
    this.everyMs = everyMs;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Is away from now on, without a word. */
  async vanish(): Promise<void> {
    this.#isGone = true;
    this.#agent?.cut();
    await this.#running;
  }

  /** Reports all that was counted, says goodbye, and waits until that is acknowledged. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isGone) {
      const agent = new SyntheticAgent({
        memberId: this.id,
        incarnation: this.#incarnation,
        resource: { 'service.name': 'faults', 'service.instance.id': this.id },
        lastReport: this.#lastReport,
      });
      this.#agent = agent;
      try {
        await this.#stream(agent);
        if (this.#isLeaving) return;
      } catch {
        // The collector is away, or was killed.
      } finally {
        this.refusals += agent.refusals.length;
        agent.cut();
      }
      await delay(30);
    }
  }

  async #stream(agent: SyntheticAgent): Promise<void> {
    const welcome = await agent.connect(`127.0.0.1:${this.#port()}`);
    this.streams++;
    const arrivalMs = performance.now();
    this.#beganMs ??= arrivalMs;
    agent.define([
      {
        metric: kernelIo,
        attributes: { device: 'sd0' },
        epoch: `epoch.${this.id}`,
        beganUs: Math.round((this.#beganMs - arrivalMs) * 1000),
        startTimeUs: 1_000_000,
      },
    ]);
    agent.lastReport = Math.max(this.#lastReport, welcome.lastReport);
    /** What each report that is not acknowledged said. */
    const said = new Map<number, number>();
    for (;;) {
      for (const [number, value] of said) {
        if (number > agent.acknowledged) break;
        this.acknowledged = Math.max(this.acknowledged, value);
        said.delete(number);
      }
      if (agent.ended !== undefined || this.#isGone) throw new Error(`the stream of ${this.id} has ended`);
      if (this.#isLeaving && said.size === 0 && this.sent === this.value) break;
      if (!this.#isLeaving) this.value += this.#random.int(1, 100);
      if (said.size < 1000) {
        this.sent = this.value;
        agent.report([{ group: 0, timeUs: Date.now() * 1000, sums: Float64Array.of(this.value) }]);
        this.#lastReport = agent.lastReport;
        said.set(agent.lastReport, this.value);
        this.reports++;
      }
      await delay(this.everyMs);
    }
    agent.goodbye();
    await agent.until(() => agent.ended !== undefined, 'the end of the stream');
    if (agent.ended!.code !== 0)
      throw new Error(`the stream of ${this.id} ended with ${agent.ended!.details}`);
  }
}
