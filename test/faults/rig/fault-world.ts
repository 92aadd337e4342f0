import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { until } from '../../agent/until.ts';
import type { KernelFile } from '../../integration/fixtures/kernel-agent.ts';
import { Child } from '../../process/child.ts';
import { fixedPort } from '../../process/fixed-port.ts';
import { startStreamgauge } from '../../process/streamgauge.ts';
import { writeCollectorFile } from './collector-file.ts';
import { KeptCounts } from './kept-counts.ts';
import { Supervised } from './supervised.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}.ts`, import.meta.url));

/** How long an epoch may look older than it is, since a Welcome takes its time on a busy machine: none begins earlier in a collector's life. */
const oldestLookMs = 2500;

/** Of a collector: gRPC, HTTP, admin. */
export type Ports = readonly [number, number, number];

export interface FaultWorldOptions {
  readonly seed: number;
  /** The hosts of each process of agents. */
  readonly hosts: readonly (readonly string[])[];
  /** Where agents connect to; default: the collector's gRPC port. */
  readonly agentPort?: (collectorPort: number) => number | Promise<number>;
  /** Environment of the collector's process, and of those of agents. */
  readonly collectorEnv?: Readonly<Record<string, string>>;
  readonly agentEnv?: Readonly<Record<string, string>>;
  readonly intervalMs?: number;
}

/**
 * A truth, agents that report it, a collector with a data directory and a backend, each a process of its own, and all of them but the truth made to be
 * killed. One backend, two readers: cumulative over gRPC, delta over HTTP.
 */
export class FaultWorld {
  readonly folder: string;
  readonly dataDir: string;
  collectorPort: number;
  httpPort: number;
  adminPort: number;
  readonly collector: Supervised;
  readonly backend: Supervised;
  readonly agents: readonly Supervised[];
  readonly kept: ReadonlyMap<string, KeptCounts>;
  readonly #hosts: readonly (readonly string[])[];
  #truth: Child | undefined;

  private constructor(
    folder: string,
    ports: readonly number[],
    agentPort: number,
    options: FaultWorldOptions,
  ) {
    const [grpc, http, admin, sinkGrpc, sinkHttp] = ports as [number, number, number, number, number];
    this.folder = folder;
    this.dataDir = path.join(folder, 'data');
    this.collectorPort = grpc;
    this.httpPort = http;
    this.adminPort = admin;
    this.#hosts = options.hosts;
    const { intervalMs = 150 } = options;
    writeCollectorFile(folder, [
      { kind: 'otlp_grpc', url: `http://127.0.0.1:${sinkGrpc}`, temporality: 'cumulative', intervalMs },
      { kind: 'otlp_http', url: `http://127.0.0.1:${sinkHttp}`, temporality: 'delta', intervalMs },
    ]);
    this.collector = new Supervised('collector', () => this.startCollector(options.collectorEnv));
    this.backend = new Supervised(
      'backend',
      () => new Child(process.execPath, [fixture('backend'), folder, `${sinkGrpc}`, `${sinkHttp}`]),
    );
    this.agents = options.hosts.map(
      (ids, i) =>
        new Supervised(
          `agents ${i}`,
          () =>
            new Child(process.execPath, [fixture('fault-agent'), `127.0.0.1:${agentPort}`, folder, ...ids], {
              env: options.agentEnv ?? {},
            }),
        ),
    );
    this.kept = new Map(options.hosts.flat().map((id) => [id, new KeptCounts(folder, id)]));
  }

  /** Everything runs, and the truth counts. */
  static async start(t: ExecutionContext, options: FaultWorldOptions): Promise<FaultWorld> {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'streamgauge-faults-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    mkdirSync(path.join(folder, 'data'));
    const ports = [];
    for (let i = 0; i < 5; i++) ports.push(await fixedPort());
    const agentPort = (await options.agentPort?.(ports[0]!)) ?? ports[0]!;
    const world = new FaultWorld(folder, ports, agentPort, options);
    t.teardown(() => world.#end());
    await world.backend.start().waitForOutput(/^ready$/m);
    world.collector.start();
    await world.collectorReady();
    await delay(oldestLookMs);
    const ids = options.hosts.flat();
    const truth = new Child(process.execPath, [fixture('truth'), folder, `${options.seed}`, ...ids]);
    world.#truth = truth;
    await truth.waitForOutput(/^counting$/m);
    for (const agent of world.agents) await agent.start().waitForOutput(/^started$/m);
    return world;
  }

  get hosts(): string[] {
    return this.#hosts.flat();
  }

  /** A collector of this world; on its own ports, or on others. */
  startCollector(
    env: Readonly<Record<string, string>> = {},
    ports: Ports = [this.collectorPort, this.httpPort, this.adminPort],
  ): Child {
    const [grpc, http, admin] = ports;
    const file = path.join(this.folder, 'collector.yaml');
    const listen = ['--grpc-port', `${grpc}`, '--http-port', `${http}`, '--admin-port', `${admin}`];
    const args = ['collector', '--config', file, '--data-dir', this.dataDir, ...listen];
    return startStreamgauge(args, 'sources', env);
  }

  async collectorReady(
    httpPort = this.httpPort,
    of: () => Child = () => this.collector.child,
  ): Promise<void> {
    let isReady = false;
    const look = async (): Promise<void> => {
      while (!isReady && !of().ended) {
        isReady = await fetch(`http://127.0.0.1:${httpPort}/readyz`, {
          signal: AbortSignal.timeout(2000),
        }).then(
          ({ ok }) => ok,
          () => false,
        );
        if (!isReady) await delay(25);
      }
    };
    await Promise.race([look(), delay(60_000, undefined, { ref: false })]);
    if (!isReady)
      throw new Error(`the collector does not become ready. It wrote:\n${of().output.slice(-8000)}`);
  }

  /** The collector begins anew on other ports, with the same data directory. */
  async moved(ports: Ports): Promise<void> {
    [this.collectorPort, this.httpPort, this.adminPort] = ports;
    this.collector.start();
    await this.collectorReady();
  }

  /** Kills agents, and notes what they are known to have counted. */
  async killAgents(index: number): Promise<void> {
    const agent = this.agents[index]!;
    await agent.kill();
    for (const id of this.#hosts[index]!) this.kept.get(id)!.ended(agent.child.pid);
  }

  /** Waits until all hosts have a stream over which something was reported. */
  async agentsReport(): Promise<void> {
    let reporting = 0;
    let isOver = false;
    const look = async (): Promise<void> => {
      while (!isOver) {
        const list = await this.members();
        reporting = list.filter(({ session, lastReport }) => session !== null && lastReport > 0).length;
        await delay(50);
      }
    };
    const looking = look();
    try {
      await until('all hosts report', () => reporting === this.hosts.length, 60_000);
    } finally {
      isOver = true;
      await looking;
    }
  }

  /** What the collector says of its members; nothing while it is away. */
  async members(): Promise<readonly { memberId: string; session: string | null; lastReport: number }[]> {
    try {
      const url = `http://127.0.0.1:${this.adminPort}/agents`;
      const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
      return (await response.json()) as { memberId: string; session: string | null; lastReport: number }[];
    } catch {
      return [];
    }
  }

  /** What the collector says of itself. */
  async status(): Promise<Record<string, unknown> & { storage: Record<string, unknown> }> {
    const url = `http://127.0.0.1:${this.adminPort}/status`;
    const response = await fetch(url, { signal: AbortSignal.timeout(5000) });
    return (await response.json()) as Record<string, unknown> & { storage: Record<string, unknown> };
  }

  /** What stands on the counters of a host's kernel; the last word once {@link finish} has been called. */
  kernelOf(id: string): readonly number[] {
    const content = JSON.parse(readFileSync(path.join(this.folder, `${id}.json`), 'utf8')) as KernelFile;
    return content.counters;
  }

  /** Nothing counts any more; agents deliver all there is, the collector exports it, and all end as they should. */
  async finish(t: ExecutionContext): Promise<void> {
    t.is(await this.#truth!.stop(), 0);
    await this.agentsReport();
    // What gathered in state files while one run was killed after the other is told one after the other, each when the one before is acknowledged; that
    // takes twenty seconds, or a new stream.
    const endMs = performance.now() + 120_000;
    while (this.#waiting() > 0) {
      t.true(performance.now() < endMs, 'agents tell what earlier runs counted');
      await this.collector.kill();
      this.collector.start();
      await this.collectorReady();
      await this.agentsReport();
      const before = this.#waiting();
      const saved = until('a final state is told', () => this.#waiting() < before, 4000);
      await saved.catch(() => undefined);
    }
    for (const [i, agent] of this.agents.entries()) {
      t.is(await agent.child.stop(60_000), 0, `${agent.name} deliver all they have: ${agent.child.output}`);
      for (const id of this.#hosts[i]!) {
        const kept = this.kept.get(id)!;
        kept.ended(agent.child.pid, true);
        t.is(kept.held, 0, `${id} has told all it counted`);
      }
    }
    t.is(await this.collector.child.stop(60_000), 0, this.collector.child.output);
    t.regex(
      this.collector.child.output,
      /"msg":"collector drained"/,
      this.collector.child.output.slice(-4000),
    );
    await this.backend.child.kill();
  }

  #waiting(): number {
    return [...this.kept.values()].reduce((sum, { waiting }) => sum + waiting, 0);
  }

  async #end(): Promise<void> {
    const all = [this.collector, this.backend, ...this.agents].filter(({ isRunning }) => isRunning);
    await Promise.all([...all.map(({ child }) => child.kill()), this.#truth?.kill()]);
  }
}
