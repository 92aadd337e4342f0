import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { until } from '../agent/until.ts';
import { seedOfRun } from '../integration/conservation/conserves.ts';
import { Random } from '../integration/conservation/random.ts';
import { TcpProxy } from '../proxy/tcp-proxy.ts';
import { checkFleet } from './rig/check-fleet.ts';
import { FaultWorld } from './rig/fault-world.ts';
import { preloaded } from './rig/preload.ts';

const minuteMs = 60_000;

/** The clocks of a program, which can be set. */
class Clocks {
  readonly env: Readonly<Record<string, string>>;
  wallMs = 0;
  monotonicMs = 0;
  readonly #file: string;

  constructor(t: ExecutionContext) {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'streamgauge-faults-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    this.#file = path.join(folder, 'clocks');
    this.env = { ...preloaded('clocks'), STREAMGAUGE_TEST_CLOCKS: this.#file };
    this.#write();
  }

  /** Somebody sets the wall clock. */
  set(byMs: number): void {
    this.wallMs += byMs;
    this.#write();
  }

  /** So much time passes. */
  pass(ms: number): void {
    this.monotonicMs += ms;
    this.set(ms);
  }

  #write(): void {
    writeFileSync(`${this.#file}.new`, `${this.wallMs} ${this.monotonicMs}`);
    renameSync(`${this.#file}.new`, this.#file);
  }
}

async function behindProxy(t: ExecutionContext, env: { collector?: Clocks; agents?: Clocks }, seed: number) {
  let proxy: TcpProxy | undefined;
  const world = await FaultWorld.start(t, {
    seed,
    hosts: [['host-0', 'host-1']],
    ...(env.collector === undefined ? {} : { collectorEnv: env.collector.env }),
    ...(env.agents === undefined ? {} : { agentEnv: env.agents.env }),
    agentPort: async (collectorPort) => {
      proxy = new TcpProxy(collectorPort);
      t.teardown(() => proxy!.close());
      return await proxy.listen();
    },
  });
  await world.agentsReport();
  return { world, proxy: proxy! };
}

/** Points of a metric at the collector's /metrics; `undefined` while it shows none. */
async function scraped(world: FaultWorld, name: string): Promise<number | undefined> {
  const response = await fetch(`http://127.0.0.1:${world.httpPort}/metrics`, {
    signal: AbortSignal.timeout(5000),
  });
  const line = (await response.text()).split('\n').find((text) => text.startsWith(name));
  return line === undefined ? undefined : Number(/} ([^ ]+)/.exec(line)?.[1]);
}

test.serial(
  'wall clocks of the collector and of agents are set forward and back: totals neither fall nor begin anew',
  async (t) => {
    t.timeout(180_000);
    const seed = seedOfRun();
    t.log(`STREAMGAUGE_TEST_SEED=${seed}`);
    const random = new Random(seed);
    const clocks = { collector: new Clocks(t), agents: new Clocks(t) };
    const { world, proxy } = await behindProxy(t, clocks, seed);
    for (const jumpMs of [
      minuteMs,
      -minuteMs,
      60 * minuteMs,
      -90 * minuteMs,
      24 * 60 * minuteMs,
      -1500,
      30_000,
    ]) {
      const side = random.pick(['collector', 'agents', 'both'] as const);
      if (side !== 'agents') clocks.collector.set(jumpMs);
      if (side !== 'collector') clocks.agents.set(jumpMs);
      await delay(random.int(200, 600));
      if (random.chance(0.5)) proxy.cut();
      if (random.chance(0.4)) {
        // The next one finds times that are yet to come.
        await world.collector.kill();
        world.collector.start();
        await world.collectorReady();
      }
      await world.agentsReport();
      await delay(300);
    }
    await world.finish(t);
    checkFleet(t, world, { mayGoBack: true });
  },
);

test.serial(
  'minutes without a connection: gauges leave, totals stay, and nothing that was counted meanwhile is missing',
  async (t) => {
    t.timeout(180_000);
    const seed = seedOfRun();
    t.log(`STREAMGAUGE_TEST_SEED=${seed}`);
    const clocks = { collector: new Clocks(t), agents: new Clocks(t) };
    const { world, proxy } = await behindProxy(t, clocks, seed);
    const shows = async (name: string, what: (value: number | undefined) => boolean): Promise<void> => {
      let last: number | undefined;
      let isOver = false;
      const look = async (): Promise<void> => {
        while (!isOver) {
          last = await scraped(world, name).catch(() => undefined);
          isOver ||= what(last);
          await delay(50);
        }
      };
      const looking = look();
      await until(`${name} at /metrics`, () => isOver, 30_000).finally(() => {
        isOver = true;
      });
      await looking;
      t.true(what(last), `${name} is ${last}`);
    };
    await shows('fleet_level', (value) => value === 2);
    for (const minutes of [8, 25]) {
      proxy.refusing = true;
      proxy.cut();
      for (let minute = 0; minute < minutes; minute++) {
        clocks.collector.pass(minuteMs);
        clocks.agents.pass(minuteMs);
        await delay(40);
      }
      await shows('fleet_level', (value) => value === undefined || value === 0);
      await shows('fleet_io', (value) => value !== undefined && value > 0);
      if (minutes > 10) {
        // It comes back as stale as it was.
        await world.collector.kill();
        world.collector.start();
        await world.collectorReady();
      }
      proxy.refusing = false;
      await world.agentsReport();
      await shows('fleet_level', (value) => value === 2);
    }
    await world.finish(t);
    checkFleet(t, world);
  },
);
