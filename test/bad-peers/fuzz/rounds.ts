import fc from 'fast-check';
import { GoodAgent } from '../good-agent.ts';
import { Victim } from '../victim.ts';
import { harmsNobody } from './harms-nobody.ts';
import { anyMutation, mutate } from './mutation.ts';
import { anyScript, messagesOf } from './script.ts';
import { anyFrameBytes, sendMutated } from './wire.ts';

/** Valid sessions with one mutation, given to sessions without a network. @throws Error with seed, path and the smallest that fails */
export function fuzzSessions(seed: number, numRuns: number): void {
  fc.assert(
    fc.property(anyScript, anyMutation, (script, mutation) =>
      harmsNobody(mutate(messagesOf(script), mutation)),
    ),
    { seed, numRuns },
  );
}

/** A collector in a process of its own, with an agent in order, that mutated sessions are sent to. */
export class FuzzedCollector {
  readonly #victim: Victim;
  readonly #agent: GoodAgent;
  readonly memoryBefore: number;

  private constructor(victim: Victim, agent: GoodAgent, memoryBefore: number) {
    this.#victim = victim;
    this.#agent = agent;
    this.memoryBefore = memoryBefore;
  }

  static async start(): Promise<FuzzedCollector> {
    const victim = await Victim.start();
    const agent = new GoodAgent(victim.addresses.grpc, 'good');
    await agent.start();
    return new FuzzedCollector(victim, agent, await victim.memory());
  }

  /** @throws Error with seed, path and the smallest that fails */
  async fuzz(seed: number, numRuns: number): Promise<void> {
    let sent = 0;
    await fc.assert(
      fc.asyncProperty(anyScript, anyMutation, anyFrameBytes, async (script, mutation, frameBytes) => {
        // Many addresses, so that it is not their limits that are tested.
        const address = `127.2.${(sent >> 6) & 255}.1`;
        sent++;
        await sendMutated(this.#victim, address, { messages: messagesOf(script), mutation, frameBytes });
        const failures = await this.#victim.failures();
        if (failures.length > 0) throw new Error(failures.join('\n'));
      }),
      { seed, numRuns },
    );
    await this.#agent.check(async () => (await this.#victim.turns()).waitedMs);
  }

  memory(): Promise<number> {
    return this.#victim.memory();
  }

  /** Stops. @throws Error when something of the agent in order was lost */
  async stop(): Promise<void> {
    try {
      const count = await this.#agent.stop();
      const text = await (await fetch(`http://${this.#victim.addresses.http}/metrics`)).text();
      const line = `${count}`;
      const shown = text.split('\n').find((each) => /^good_things_total\{.*job="good"/.test(each));
      if (shown?.split(' ').at(-1) !== line)
        throw new Error(`the agent counted ${count}, and it is shown as ${shown}`);
    } finally {
      await this.kill();
    }
  }

  kill(): Promise<void> {
    return this.#victim.stop();
  }
}
