import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { metric } from '../../../otel/model/metric.ts';
import { SyntheticAgent } from '../../agents/synthetic-agent.ts';
import { passing } from './collector-file.ts';

const kernelIo = metric({ name: passing.kernel, kind: 'sum', isMonotonic: true, valueType: 'int' });
const tickMs = 5;
/** Reports that wait for their acknowledgement, of a member that does not care whether the transport takes them. */
const mostWaiting = 2000;

export interface FloodingOptions {
  readonly id: string;
  readonly port: () => number;
  readonly series: number;
  /** Sends whether the transport takes it or not, where an agent would wait. */
  readonly isRude?: boolean;
}

/**
 * A member with many counters, all of which rise by one at each sample. It samples at a pace that does not care what the collector can take; a sample that the
 * transport has no room for is no report, and the next one holds the newest state.
 */
export class FloodingMember {
  readonly id: string;
  readonly series: number;
  /** Samples a second; Infinity: one as soon as the transport takes it. */
  pace = 0;
  samples = 0;
  reports = 0;
  /** The sample that each acknowledged report held, the highest. */
  acknowledged = 0;
  refusals = 0;
  readonly #options: FloodingOptions;
  readonly #incarnation = randomBytes(16);
  readonly #values: Float64Array;
  #lastReport = 0;
  #reported = 0;
  #beganMs: number | undefined;
  #agent: SyntheticAgent | undefined;
  #isLeaving = false;
  #isGone = false;
  #running: Promise<void> | undefined;

  constructor(options: FloodingOptions) {
    this.#options = options;
    this.id = options.id;
    this.series = options.series;
    this.#values = new Float64Array(options.series);
  }

  /** What has been counted. */
  get total(): number {
    return this.samples * this.series;
  }

  get isSettled(): boolean {
    return this.acknowledged === this.samples;
  }

  start(): void {
    this.#running = this.#run();
  }

  async vanish(): Promise<void> {
    this.#isGone = true;
    this.#agent?.cut();
    await this.#running;
  }

  async leave(): Promise<void> {
    this.#isLeaving = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isGone) {
      const { id } = this;
      const agent = new SyntheticAgent({
        memberId: id,
        incarnation: this.#incarnation,
        resource: { 'service.name': 'faults', 'service.instance.id': id },
        lastReport: this.#lastReport,
      });
      this.#agent = agent;
      try {
        await this.#stream(agent);
        if (this.#isLeaving) return;
      } catch {
        // The collector is away.
      } finally {
        this.refusals += agent.refusals.length;
        agent.cut();
      }
      await delay(50);
    }
  }

  async #stream(agent: SyntheticAgent): Promise<void> {
    const welcome = await agent.connect(`127.0.0.1:${this.#options.port()}`);
    const arrivalMs = performance.now();
    this.#beganMs ??= arrivalMs;
    agent.define(
      Array.from({ length: this.series }, (_, i) => ({
        metric: kernelIo,
        attributes: { device: `sd${i}` },
        epoch: `epoch.${this.id}`,
        beganUs: Math.round((this.#beganMs! - arrivalMs) * 1000),
        startTimeUs: 1_000_000,
      })),
    );
    agent.lastReport = Math.max(this.#lastReport, welcome.lastReport);
    /** The sample that each report held. */
    const held = new Map<number, number>();
    let isFree = true;
    this.#reported = -1;
    let dueMs = performance.now();
    const report = (): void => {
      this.#values.fill(this.samples);
      const wasFree = isFree;
      isFree = agent.report([{ group: 0, timeUs: Date.now() * 1000, sums: this.#values }]);
      this.#lastReport = agent.lastReport;
      this.#reported = this.samples;
      held.set(agent.lastReport, this.samples);
      this.reports++;
      if (wasFree && !isFree)
        void agent.drain().then(() => {
          isFree = true;
        });
    };
    for (;;) {
      for (const [number, sample] of held) {
        if (number > agent.acknowledged) break;
        this.acknowledged = Math.max(this.acknowledged, sample);
        held.delete(number);
      }
      if (agent.ended !== undefined || this.#isGone) throw new Error(`the stream of ${this.id} has ended`);
      if (this.#isLeaving && held.size === 0 && this.#reported === this.samples) break;
      const nowMs = performance.now();
      const mayReport = (): boolean => (isFree || this.#options.isRude === true) && held.size < mostWaiting;
      if (this.pace === Infinity) {
        for (let i = 0; i < 20 && mayReport(); i++) {
          this.samples++;
          report();
        }
      } else {
        for (; dueMs < nowMs && this.pace > 0 && !this.#isLeaving; dueMs += 1000 / this.pace) {
          this.samples++;
          if (mayReport()) report();
        }
        if (this.#reported !== this.samples && mayReport()) report();
      }
      if (this.pace === Infinity || this.pace === 0) dueMs = nowMs;
      await delay(tickMs);
    }
    agent.goodbye();
    await agent.until(() => agent.ended !== undefined, 'the end of the stream');
    if (agent.ended!.code !== 0)
      throw new Error(`the stream of ${this.id} ended with ${agent.ended!.details}`);
  }
}
