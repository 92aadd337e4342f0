import type { Agent } from '../../../agent/agent.ts';
import type { SourceDefinition } from '../../../agent/source-groups.ts';
import type { AgentSeries, SamplingGroup } from '../../../agent/state/sampling-group.ts';
import { noAttributes } from '../../../otel/model/attributes.ts';
import { emptyScope } from '../../../otel/model/scope.ts';
import { until } from '../../interop/until.ts';
import { TcpProxy } from '../../proxy/tcp-proxy.ts';
import { makeAgent } from '../in-process.ts';
import { type MergingCollector, mergedReport, mergesAnew } from '../merged.ts';
import type { Random } from './random.ts';
import { busy, diskIo, KnownCounter, newLife, oldLife, queued, requests } from './truth.ts';

const scope = { ...emptyScope, name: 'conservation' };
const intervalMs = 20;

interface Device {
  readonly counter: KnownCounter;
  /** `undefined` while it cannot be read. */
  cell: number | undefined;
  /** Done by the agent's source. A device is replaced when the last value of the old one has been merged. */
  change: 'replaced' | 'unreadable' | 'readable' | undefined;
  /** A report with a greater number holds the last value of the one that is replaced. */
  afterReport: number | undefined;
}

/**
 * A host whose counts are known, and its agent, which is started, drained and killed. Kernel counters live on between agents; the
 * counters of the agent's own process begin anew with each.
 */
export class KnownHost {
  readonly id: string;
  readonly scope = scope.name;
  readonly proxy: TcpProxy;
  readonly devices: readonly Device[];
  readonly process: readonly KnownCounter[];
  queued = 0;
  readonly #collector: MergingCollector;
  #agent: Agent | undefined;
  #hasStarted = false;
  /** What the process's counters had on them in each report that may not be merged yet. */
  #reported = new Map<number, readonly number[]>();
  #lastReport = 0;
  #collected: readonly number[] = [];

  constructor(id: string, collectorPort: number, collector: MergingCollector) {
    this.id = id;
    this.#collector = collector;
    this.proxy = new TcpProxy(collectorPort);
    // One is new, one began at a time that nobody knows, and two were there long before.
    const lives = [
      newLife('kernel'),
      oldLife('kernel', 1000, false),
      oldLife('kernel', 10 ** 6, true),
      oldLife('kernel', 2 ** 40, true),
    ];
    this.devices = lives.map((life, i) => ({
      counter: new KnownCounter(diskIo, { device: `sd${i}` }, life),
      cell: undefined,
      change: undefined,
      afterReport: undefined,
    }));
    this.process = [
      new KnownCounter(requests, { code: 200n }, newLife('process')),
      new KnownCounter(requests, { code: 500n }, newLife('process')),
      new KnownCounter(busy, {}, newLife('process')),
    ];
  }

  get counters(): KnownCounter[] {
    return [...this.devices.map(({ counter }) => counter), ...this.process];
  }

  /** Starts an agent, of another incarnation each time. */
  async start(): Promise<void> {
    if (this.#hasStarted) for (const counter of this.process) counter.lives.push(newLife('process'));
    this.#hasStarted = true;
    this.#reported = new Map();
    this.#lastReport = 0;
    this.#collected = this.process.map(() => 0);
    const agent = makeAgent(`127.0.0.1:${this.proxy.port}`, {
      id: this.id,
      sources: [this.#source()],
      collector: { keepaliveTimeMs: 150, keepaliveTimeoutMs: 100, connectTimeoutMs: 800 },
    });
    this.#agent = agent;
    await agent.start();
  }

  /** Says goodbye, if it can within the deadline. Nothing that is acknowledged, or was merged, may be missing anywhere. */
  async drain(deadlineMs: number): Promise<void> {
    const agent = this.#agent;
    if (agent === undefined) return;
    const drained = agent.drain(deadlineMs);
    // The last collection has been made.
    this.#agent = undefined;
    const { delivered, acknowledged } = await drained;
    await agent.stop();
    if (!delivered) this.#died(acknowledged, agent.status().lastReport);
  }

  /** Ends the agent at once and without a word, as a crash does. */
  async kill(): Promise<void> {
    const agent = this.#agent;
    if (agent === undefined) return;
    const { acknowledged, lastReport } = agent.status();
    const merged = mergedReport(this.#collector, agent);
    this.#agent = undefined;
    await agent.stop();
    this.#died(Math.max(acknowledged, merged), lastReport);
  }

  /** Counts a little. */
  count(random: Random): void {
    for (const { counter, change } of this.devices)
      if (change !== 'replaced' && random.chance(0.5)) counter.life.value += random.int(0, 4096);
    if (this.#agent === undefined) return;
    this.process[0]!.life.value += random.int(0, 3);
    if (random.chance(0.05)) this.process[1]!.life.value++;
    this.process[2]!.life.value += random.next() / 10;
    this.queued = Math.max(0, this.queued + random.int(-2, 2));
  }

  /** Replaces a device, or makes it unreadable or readable again. */
  changeDevice(random: Random): void {
    const device = random.pick(this.devices);
    if (device.change !== undefined) return;
    device.change = device.cell === undefined ? 'readable' : random.pick(['replaced', 'unreadable'] as const);
  }

  /** Waits until nothing changes any more and the collector has merged what was counted before this call. */
  async settle(): Promise<void> {
    const agent = this.#agent!;
    for (const device of this.devices)
      if (device.cell === undefined || device.change === 'unreadable') device.change = 'readable';
    await until(
      () => agent.status().connected && this.devices.every(({ change }) => change === undefined),
      `${this.id} is connected and its devices are there`,
    );
    await mergesAnew(this.#collector, agent);
  }

  async close(): Promise<void> {
    await this.#agent?.stop();
    await this.proxy.close();
  }

  #died(seen: number, lastReport: number): void {
    this.#noteReports(lastReport);
    for (const [i, { life }] of this.process.entries()) {
      life.value = this.#collected[i]!;
      life.seenAtDeath = this.#reported.get(seen)?.[i] ?? 0;
    }
  }

  /** Reports that were cut since the last collection hold what was collected then. */
  #noteReports(lastReport: number): void {
    for (let number = this.#lastReport + 1; number <= lastReport; number++)
      this.#reported.set(number, this.#collected);
    this.#lastReport = lastReport;
  }

  #source(): SourceDefinition {
    return {
      intervalMs,
      make: (group) => {
        const cells = this.process.map((counter) => group.define(seriesOf(counter)));
        const queuedCell = group.define({
          scope,
          metric: queued,
          attributes: noAttributes,
          epoch: this.process[0]!.life,
        });
        for (const device of this.devices) {
          device.cell = group.define(seriesOf(device.counter));
          device.afterReport = undefined;
          if (device.change !== 'replaced') device.change = undefined;
        }
        return {
          name: 'conservation',
          collect: () => {
            const lastReport = this.#agent?.status().lastReport ?? this.#lastReport;
            const merged = this.#agent === undefined ? 0 : mergedReport(this.#collector, this.#agent);
            this.#noteReports(lastReport);
            for (const number of this.#reported.keys()) if (number < merged) this.#reported.delete(number);
            this.#collected = this.process.map(({ life }) => life.value);
            for (const [i, cell] of cells.entries()) group.setCounter(cell, this.#collected[i]!);
            group.set(queuedCell, this.queued);
            for (const device of this.devices) collectDevice(group, device, lastReport, merged);
          },
        };
      },
    };
  }
}

function seriesOf({ metric, attributes, life }: KnownCounter): AgentSeries {
  return { scope, metric, attributes, epoch: life, startTimeUs: life.startTimeUs };
}

function collectDevice(group: SamplingGroup, device: Device, lastReport: number, merged: number): void {
  const { counter, change } = device;
  if (change === 'unreadable') {
    group.retire(device.cell!, 'idle');
    device.cell = undefined;
    device.change = undefined;
  } else if (change === 'readable') {
    device.cell ??= group.define(seriesOf(counter));
    device.change = undefined;
  } else if (change === 'replaced') {
    if (device.afterReport !== undefined && merged > device.afterReport) {
      group.retire(device.cell!, 'gone');
      counter.lives.push(newLife('kernel'));
      device.cell = group.define(seriesOf(counter));
      device.change = undefined;
      device.afterReport = undefined;
    } else device.afterReport ??= lastReport;
  }
  if (device.cell !== undefined) group.setCounter(device.cell, counter.life.value);
}
