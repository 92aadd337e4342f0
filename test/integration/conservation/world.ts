import { setTimeout as delay } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import type { Collector } from '../../../collector/collector.ts';
import type { TcpProxy } from '../../proxy/tcp-proxy.ts';
import type { Fault } from '../../sinks/fault-plan.ts';
import { startGrpcSink } from '../../sinks/grpc-sink.ts';
import { startHttpSink } from '../../sinks/http-sink.ts';
import type { OtlpSink } from '../../sinks/otlp-sink.ts';
import { otlpReader, startCollector, view } from '../in-process.ts';
import { KnownHost } from './known-host.ts';
import { Random } from './random.ts';
import { SyntheticHost } from './synthetic-host.ts';
import { busy, diskIo, queued, requests } from './truth.ts';

/** What merging views call a metric. */
export const fleet = (name: string): string => `${name}.fleet`;

const stepMs = 10;
/** A hold makes new epochs look so much older, so no trouble begins before the collector is older than that. */
const longestHoldMs = 400;

export interface Backend {
  readonly name: string;
  readonly temporality: 'cumulative' | 'delta';
  readonly sink: OtlpSink;
}

/** A collector, hosts that count, backends that fail, and connections that break: all at random, and all known. */
export class World {
  readonly random: Random;
  readonly hosts: KnownHost[];
  readonly synthetic: SyntheticHost[];
  readonly backends: readonly Backend[];
  readonly collector: Collector;
  /** What has happened, by name. */
  readonly events: Record<string, number> = {};
  readonly #busy = new Set<KnownHost>();
  readonly #heal = new Map<TcpProxy, NodeJS.Timeout>();
  #isTroubled = false;

  private constructor(seed: number, hosts: number, collector: Collector, backends: readonly Backend[]) {
    this.random = new Random(seed);
    this.collector = collector;
    this.backends = backends;
    const port = Number(collector.addresses.grpc.split(':')[1]);
    this.hosts = Array.from({ length: hosts }, (_, i) => new KnownHost(`host-${i}`, port, collector));
    this.synthetic = [new SyntheticHost('synthetic', port, this.random)];
    for (const { sink } of backends) sink.plan = () => this.#fault();
  }

  /** Everything runs, each member has reported its first values, and nothing has gone wrong yet. */
  static async start(t: ExecutionContext, seed: number, hosts: number): Promise<World> {
    const backends: Backend[] = [];
    for (const [kind, start] of [
      ['otlp_grpc', startGrpcSink],
      ['otlp_http', startHttpSink],
    ] as const) {
      for (const temporality of ['cumulative', 'delta'] as const) {
        const sink = await start();
        t.teardown(() => sink.stop());
        backends.push({ name: `${kind} ${temporality}`, temporality, sink });
      }
    }
    const collector = await startCollector(t, {
      readers: backends.map(({ name, temporality, sink }) =>
        otlpReader(name.startsWith('otlp_grpc') ? 'otlp_grpc' : 'otlp_http', sink, {
          name,
          temporality,
          timeoutMs: 800,
          compression: temporality === 'delta' ? 'gzip' : 'none',
        }),
      ),
      views: [diskIo, requests, busy, queued].flatMap(({ name }) => [
        view(name),
        view(name, { name: fleet(name), resourceKeys: [], attributeKeys: { excluded: ['device', 'code'] } }),
      ]),
    });
    const bornMs = performance.now();
    const world = new World(seed, hosts, collector, backends);
    t.teardown(() => world.#close());
    for (const { proxy } of world.#members()) await proxy.listen();
    for (const host of world.hosts) await host.start();
    for (const host of world.synthetic) host.start();
    await world.#settled();
    await delay(Math.max(0, 4 * longestHoldMs - (performance.now() - bornMs)));
    return world;
  }

  /** Lets things happen for so long. */
  async run(durationMs: number): Promise<void> {
    const { random } = this;
    this.#isTroubled = true;
    const endMs = performance.now() + durationMs;
    while (performance.now() < endMs) {
      for (const host of this.hosts) {
        host.count(random);
        if (random.chance(0.02)) this.#trouble(host.proxy);
        if (random.chance(0.02)) host.changeDevice(random);
        if (random.chance(0.01)) this.#restart(host);
      }
      for (const host of this.synthetic) {
        host.count();
        if (random.chance(0.02)) this.#trouble(host.proxy);
      }
      await delay(stepMs);
    }
  }

  /** Mends everything, waits until the last counts have been merged, and drains the collector into its backends. */
  async finish(t: ExecutionContext): Promise<void> {
    this.#isTroubled = false;
    for (const { proxy } of this.#members()) this.#mend(proxy);
    while (this.#busy.size > 0) await delay(stepMs);
    await this.#settled();
    const { readers } = await this.collector.drain(30_000);
    for (const { name, delivered, error } of readers) t.true(delivered, `${name} drained: ${error}`);
  }

  #members(): (KnownHost | SyntheticHost)[] {
    return [...this.hosts, ...this.synthetic];
  }

  async #settled(): Promise<void> {
    await Promise.all(this.#members().map((host) => host.settle()));
  }

  #note(event: string): void {
    this.events[event] = (this.events[event] ?? 0) + 1;
  }

  #trouble(proxy: TcpProxy): void {
    if (this.#heal.has(proxy)) return;
    const { random } = this;
    const what = random.pick(['cut', 'cut', 'strand', 'hold', 'refuse', 'delay'] as const);
    this.#note(what);
    if (what === 'cut') proxy.cut();
    else if (what === 'strand') proxy.strand();
    else if (what === 'hold') proxy.hold();
    else if (what === 'delay') proxy.delayMs = random.int(1, 30);
    else {
      proxy.refusing = true;
      proxy.cut();
    }
    if (what === 'cut' || what === 'strand') return;
    this.#heal.set(
      proxy,
      setTimeout(() => this.#mend(proxy), random.int(20, longestHoldMs)),
    );
  }

  #mend(proxy: TcpProxy): void {
    clearTimeout(this.#heal.get(proxy));
    this.#heal.delete(proxy);
    proxy.refusing = false;
    proxy.delayMs = 0;
    proxy.resume();
  }

  /** Ends a host's agent and starts another one after a while. */
  #restart(host: KnownHost): void {
    if (this.#busy.has(host)) return;
    this.#busy.add(host);
    const { random } = this;
    const isKill = random.chance(0.5);
    const pauseMs = random.pick([0, 0, 50, 300]);
    this.#note(isKill ? 'agent killed' : 'agent drained');
    const restart = async (): Promise<void> => {
      await (isKill ? host.kill() : host.drain(1000));
      await delay(pauseMs);
      await host.start();
    };
    void restart().finally(() => this.#busy.delete(host));
  }

  #fault(): Fault {
    if (!this.#isTroubled || !this.random.chance(0.06)) return 'ok';
    const fault = this.random.pick<Fault>(['unavailable', { throttleMs: 150 }, 'close', 'hang', 'garbage']);
    this.#note(`backend: ${typeof fault === 'string' ? fault : 'throttle'}`);
    return fault;
  }

  async #close(): Promise<void> {
    for (const { proxy } of this.#members()) this.#mend(proxy);
    while (this.#busy.size > 0) await delay(stepMs);
    await Promise.all(this.#members().map((host) => host.close()));
  }
}
