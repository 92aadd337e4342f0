import { setTimeout as delay } from 'node:timers/promises';
import { counter, SyntheticAgent, type SyntheticAgentOptions } from '../agents/synthetic-agent.ts';

const everyMs = 50;
/** What is promised to agents beside a peer that means harm. */
const longestAckMs = 1000;

/** A well-behaved agent that counts and reports all the time, and knows how long its acknowledgements took. */
export class GoodAgent {
  readonly #agent: SyntheticAgent;
  readonly #target: string;
  count = 0;
  #isRunning = true;
  #running: Promise<void> | undefined;
  #slowestMs = 0;
  #waitedMs = 0;

  /** @param presents what it needs to come in */
  constructor(
    target: string,
    memberId: string,
    presents: Pick<SyntheticAgentOptions, 'credentials' | 'metadata'> = {},
  ) {
    this.#target = target;
    this.#agent = new SyntheticAgent({ memberId, resource: { 'service.name': memberId }, ...presents });
  }

  async start(): Promise<void> {
    await this.#agent.connect(this.#target);
    this.#agent.define([{ metric: counter('good.things'), epoch: 'e', beganUs: 0 }]);
    this.#running = this.#run();
  }

  /**
   * Throws when an acknowledgement took too long since the last look, or the stream has ended.
   * @param waitedMs how long the machine has let the collector wait since its start
   */
  async check(waitedMs: () => Promise<number>): Promise<void> {
    const before = this.#agent.lastReport;
    // At least one that was sent after what was done before this.
    await this.#agent.until(
      () => this.#agent.acknowledged > before || this.#agent.ended !== undefined,
      'an acknowledgement',
      10_000,
    );
    const { ended } = this.#agent;
    if (ended !== undefined) throw new Error(`the good agent's stream ended: ${ended.code} ${ended.details}`);
    const [refusal] = this.#agent.refusals;
    if (refusal !== undefined)
      throw new Error(`something of the good agent was refused: ${JSON.stringify(refusal)}`);
    const slowestMs = this.#slowestMs;
    this.#slowestMs = 0;
    const waited = await waitedMs();
    const machineMs = waited - this.#waitedMs;
    this.#waitedMs = waited;
    if (slowestMs - machineMs > longestAckMs)
      throw new Error(
        `an acknowledgement took ${Math.round(slowestMs)} ms, ${Math.round(machineMs)} of them for a processor`,
      );
  }

  /** Stops, with everything acknowledged. Gives what was counted. */
  async stop(): Promise<number> {
    this.#isRunning = false;
    await this.#running;
    await this.#agent.settled();
    this.#agent.cut();
    return this.count;
  }

  async #run(): Promise<void> {
    const agent = this.#agent;
    while (this.#isRunning && agent.ended === undefined) {
      this.count += 3;
      agent.report([{ group: 0, timeUs: Date.now() * 1000, sums: Float64Array.of(this.count) }]);
      const sentMs = performance.now();
      // Where this process itself was held up, the collector is not to blame.
      let heldUpMs = 0;
      let lookedMs = sentMs;
      while (agent.acknowledged < agent.lastReport && agent.ended === undefined && this.#isRunning) {
        await delay(10);
        const nowMs = performance.now();
        heldUpMs += Math.max(0, nowMs - lookedMs - 30);
        lookedMs = nowMs;
      }
      this.#slowestMs = Math.max(this.#slowestMs, performance.now() - sentMs - heldUpMs);
      await delay(everyMs);
    }
  }
}

/** The value of `good.things` on a page for Prometheus. */
export function goodThings(page: string): number | undefined {
  const [, shown] = /^good_things_total\{[^}]*\} (\d+)/m.exec(page) ?? [];
  return shown === undefined ? undefined : Number(shown);
}
