import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { SyntheticAgent } from '../../agents/synthetic-agent.ts';
import { TcpProxy } from '../../proxy/tcp-proxy.ts';
import type { Random } from './random.ts';
import { diskIo, KnownCounter, latency, newLife } from './truth.ts';

const reportEveryMs = 20;

interface State {
  readonly sums: readonly number[];
  readonly buckets: readonly number[];
  readonly sum: number;
}

/**
 * A member that speaks the protocol by hand, with counters and a histogram, and does what an agent would not: it sends
 * what it knew long ago before what it knows now, and the same twice.
 */
export class SyntheticHost {
  readonly id: string;
  readonly scope = '';
  readonly proxy: TcpProxy;
  readonly counters: readonly KnownCounter[];
  readonly histogram = { life: newLife('histogram'), buckets: [0, 0, 0, 0], sum: 0 };
  /** Refusals that it was answered with. */
  refusals = 0;
  streams = 0;
  readonly #random: Random;
  readonly #incarnation = randomBytes(16);
  readonly #old: State[] = [];
  #agent: SyntheticAgent | undefined;
  #lastReport = 0;
  #ended = false;
  #running: Promise<void> | undefined;
  #settled: (() => void) | undefined;

  constructor(id: string, collectorPort: number, random: Random) {
    this.id = id;
    this.proxy = new TcpProxy(collectorPort);
    this.#random = random;
    this.counters = [0, 1, 2].map((i) => new KnownCounter(diskIo, { device: `nvme${i}` }, newLife('kernel')));
  }

  start(): void {
    this.#running = this.#run();
  }

  count(): void {
    const random = this.#random;
    for (const { life } of this.counters) if (random.chance(0.7)) life.value += random.int(0, 100);
    const { buckets } = this.histogram;
    const bucket = random.int(0, buckets.length - 1);
    buckets[bucket]!++;
    this.histogram.sum += 0.25 * (bucket + 1);
  }

  /** Waits until a report that is made after this call has been acknowledged. */
  async settle(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#settled = resolve;
    });
  }

  async close(): Promise<void> {
    this.#ended = true;
    this.#agent?.cut();
    await this.#running;
    await this.proxy.close();
  }

  async #run(): Promise<void> {
    while (!this.#ended) {
      const agent = new SyntheticAgent({
        memberId: this.id,
        incarnation: this.#incarnation,
        resource: { 'service.name': 'integration', 'service.instance.id': this.id },
        lastReport: this.#lastReport,
      });
      this.#agent = agent;
      try {
        await this.#stream(agent);
      } catch {
        // Cut off; there is another stream after a while.
      }
      agent.cut();
      this.refusals += agent.refusals.length;
      await delay(reportEveryMs);
    }
  }

  async #stream(agent: SyntheticAgent): Promise<void> {
    const welcome = await agent.connect(`127.0.0.1:${this.proxy.port}`);
    const arrivalMs = performance.now();
    this.streams++;
    agent.define(
      [...this.counters, { ...this.histogram, metric: latency, attributes: [] }].map(
        ({ metric, attributes, life }) => ({
          metric,
          attributes: Object.fromEntries(attributes),
          epoch: life.token,
          beganUs: Math.round((life.beganMs! - arrivalMs) * 1000),
          startTimeUs: life.startTimeUs,
        }),
      ),
    );
    // The reports' numbers ascend within the incarnation, whatever the collector has seen of it.
    agent.lastReport = Math.max(this.#lastReport, welcome.lastReport);
    if (this.#random.chance(0.5)) await this.#reportOld(agent);
    while (agent.ended === undefined && !agent.drained && !this.#ended) {
      const settled = this.#settled;
      const now = this.#now();
      if (this.#random.chance(0.05)) this.#old.push(now);
      if (this.#old.length > 100) this.#old.shift();
      this.#report(agent, now);
      if (this.#random.chance(0.1)) this.#report(agent, now);
      if (this.#random.chance(0.05)) await this.#reportOld(agent);
      if (settled !== undefined) {
        await agent.until(
          () => agent.ended !== undefined || agent.acknowledged === agent.lastReport,
          'the last ack',
        );
        if (agent.ended !== undefined) return;
        this.#settled = undefined;
        settled();
      }
      await delay(reportEveryMs);
    }
    if (!agent.drained) return;
    agent.halfClose();
    await agent.until(() => agent.ended !== undefined, 'the end');
  }

  /** Long enough for readers to look at what became of it. */
  async #reportOld(agent: SyntheticAgent): Promise<void> {
    if (this.#old.length === 0) return;
    this.#report(agent, this.#random.pick(this.#old));
    await delay(120);
  }

  #now(): State {
    return {
      sums: this.counters.map(({ life }) => life.value),
      buckets: [...this.histogram.buckets],
      sum: this.histogram.sum,
    };
  }

  #report(agent: SyntheticAgent, { sums, buckets, sum }: State): void {
    agent.report([
      {
        group: 0,
        timeUs: Date.now() * 1000,
        sums: Float64Array.from(sums),
        histogramBucketCounts: Float64Array.from(buckets),
        histogramSums: Float64Array.of(sum),
      },
    ]);
    this.#lastReport = agent.lastReport;
  }
}
