import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import fc from 'fast-check';
import { stateFromBody } from '../../../agent/state/state-content.ts';
import { birthUs, Core } from '../../collector/core.ts';
import { view } from '../../collector/outputs/members.ts';
import { FakeClock } from '../fake-clock.ts';
import { MemoryDisk } from './memory-storage.ts';
import { SimulatedAgent, type World } from './simulated-agent.ts';

type Step =
  | { readonly do: 'count'; readonly worker: string; readonly more: number }
  | { readonly do: 'retire'; readonly worker: string }
  | { readonly do: 'deliver'; readonly messages: number }
  | { readonly do: 'collect' | 'connect' | 'acknowledge' | 'cut' | 'flush' | 'fail' | 'tell' | 'kill' };

const worker = fc.constantFrom('a', 'b');
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('count' as const), worker, more: fc.integer({ min: 1, max: 9 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('retire' as const), worker }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('deliver' as const), messages: fc.integer({ min: 1, max: 6 }) }),
  },
  { weight: 5, arbitrary: fc.constant({ do: 'collect' as const }) },
  { weight: 3, arbitrary: fc.constant({ do: 'connect' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'acknowledge' as const }) },
  { weight: 5, arbitrary: fc.constant({ do: 'tell' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'cut' as const }) },
  { weight: 4, arbitrary: fc.constant({ do: 'flush' as const }) },
  { weight: 4, arbitrary: fc.constant({ do: 'kill' as const }) },
);
const failing = fc.oneof(
  { weight: 12, arbitrary: step },
  { weight: 1, arbitrary: fc.constant({ do: 'fail' as const }) },
);

const often = fc.boolean();

/** What a run does with one life of a counter. */
const life = fc
  .record({ more: fc.integer({ min: 1, max: 9 }), told: often, acknowledged: often, flushed: often })
  .map(({ more, told, acknowledged, flushed }): Step[] => [
    { do: 'count', worker: 'a', more },
    { do: told ? 'tell' : 'collect' },
    ...(acknowledged ? [{ do: 'acknowledge' } as const] : []),
    ...(flushed ? [{ do: 'flush' } as const, { do: 'flush' } as const] : []),
  ]);

/** Runs one after the other, each killed after a life or a few. */
const runs = fc
  .array(fc.array(life, { minLength: 1, maxLength: 3 }), { minLength: 2, maxLength: 7 })
  .map((all) =>
    all.flatMap((lives): Step[] => [
      ...lives.flatMap((steps, i): Step[] => (i === 0 ? steps : [{ do: 'retire', worker: 'a' }, ...steps])),
      { do: 'kill' },
    ]),
  );
const stories = (of: fc.Arbitrary<Step>) => fc.oneof(runs, fc.array(of, { minLength: 10, maxLength: 70 }));

class Simulation {
  readonly world: World;
  agent: SimulatedAgent;
  /** Everything that was ever counted, and what was in memory only when a run was killed. */
  counted = 0;
  lost = 0;
  shown = 0;
  #runs = 0;
  /** Workers that count in this run. */
  readonly #live = new Set<string>();

  constructor() {
    const core = new Core({ views: [view({ name: 'total', resourceKeys: [] })] });
    // Whatever counts began after the collector.
    core.nowUs = birthUs + 10_000_000;
    this.world = { core, clock: new FakeClock(), disk: new MemoryDisk(), merged: new Map() };
    this.agent = new SimulatedAgent(this.world, this.#runs++);
  }

  async take(one: Step): Promise<void> {
    const { core, clock, disk } = this.world;
    const { agent } = this;
    const { storage } = agent;
    switch (one.do) {
      case 'count':
        this.#live.add(one.worker);
        agent.source.count(one.worker, one.more);
        this.counted += one.more;
        break;
      case 'retire':
        // What a source counted after its last collection goes with it.
        this.#collect();
        if (this.#live.delete(one.worker)) agent.source.retire(one.worker);
        break;
      case 'collect':
        this.#collect();
        break;
      case 'flush':
        storage.flush();
        break;
      case 'fail':
        disk.error = disk.error === undefined ? new Error('ENOSPC') : undefined;
        break;
      case 'kill':
        this.#kill();
        break;
      case 'deliver':
        agent.deliver(one.messages);
        break;
      case 'tell':
        // All of it reaches the collector; whether that reaches the agent is another step.
        agent.connect();
        for (let i = 0; i < 4; i++) {
          storage.flush();
          await turn();
          this.#collect();
        }
        agent.deliver(1000);
        break;
      default:
        agent[one.do]();
    }
    await turn();
    core.nowUs += 1000;
    clock.advance(1);
    this.shown = core.values('total').reduce((sum: number, value) => sum + (value as number), 0);
  }

  /** Everything reaches the collector. */
  async settle(): Promise<void> {
    this.world.disk.error = undefined;
    for (let round = 0; round < 12; round++) {
      for (const name of ['connect', 'collect', 'flush'] as const) await this.take({ do: name });
      await this.take({ do: 'deliver', messages: 1000 });
      await this.take({ do: 'acknowledge' });
      await this.take({ do: 'flush' });
      this.world.clock.advance(20_000);
      await turn();
    }
  }

  end(): void {
    this.agent.cut();
  }

  #collect(): void {
    this.world.clock.advance(1000);
    this.world.core.nowUs += 1_000_000;
    this.agent.collect();
  }

  #kill(): void {
    const { disk, merged } = this.world;
    // What a source has counted and nobody has collected is not the agent's yet.
    this.#collect();
    const inMemory = this.agent.held();
    const onDisk = new Map<string, number>();
    if (disk.content !== undefined) {
      const { counting, finals } = stateFromBody(disk.content);
      for (const { series, value } of [...counting, ...finals]) onDisk.set(series.epoch!.token, value);
    }
    for (const token of new Set([...inMemory.keys(), ...onDisk.keys()])) {
      const told = merged.get(token) ?? 0;
      this.lost += Math.max(told, inMemory.get(token) ?? 0) - Math.max(told, onDisk.get(token) ?? 0);
    }
    this.agent.cut();
    this.agent.storage.kill();
    this.#live.clear();
    this.agent = new SimulatedAgent(this.world, this.#runs++);
  }
}

test('whatever is killed, cut and late, the total is what was counted less what was in memory only', async (t) => {
  await fc.assert(
    fc.asyncProperty(stories(step), async (steps) => {
      const simulation = new Simulation();
      for (const one of steps) {
        const before = simulation.shown;
        await simulation.take(one);
        if (simulation.agent.state.finals.size > 6)
          throw new Error(`two series have ${simulation.agent.state.finals.size} final states`);
        if (simulation.shown < before)
          throw new Error(`the total fell from ${before} to ${simulation.shown}`);
        if (simulation.shown > simulation.counted)
          throw new Error(`${simulation.shown} is shown, and ${simulation.counted} was counted`);
      }
      await simulation.settle();
      if (simulation.agent.state.finals.size > 0) throw new Error('a final state is left');
      const { shown, counted, lost } = simulation;
      if (shown !== counted - lost)
        throw new Error(`${shown} is shown of ${counted}, of which ${lost} were lost`);
      simulation.end();
    }),
    { numRuns: 120, includeErrorInReport: true },
  );
  t.pass();
});

test('with a disk that fails now and then, nothing is counted twice', async (t) => {
  await fc.assert(
    fc.asyncProperty(stories(failing), async (steps) => {
      const simulation = new Simulation();
      for (const one of steps) {
        await simulation.take(one);
        if (simulation.shown > simulation.counted)
          throw new Error(`${simulation.shown} is shown, and ${simulation.counted} was counted`);
      }
      await simulation.settle();
      simulation.end();
      if (simulation.shown > simulation.counted)
        throw new Error(`${simulation.shown} is shown, and ${simulation.counted} was counted`);
    }),
    { numRuns: 120, includeErrorInReport: true },
  );
  t.pass();
});
