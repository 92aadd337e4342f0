import { randomBytes } from 'node:crypto';
import { type Clock, systemClock } from '../otel/clock.ts';
import { type Resource, resourceKey } from '../otel/model/resource.ts';
import type { Collection } from '../otel/state/point-batch.ts';
import type { Identity } from '../otel/stream/identity.ts';
import { Seldom } from '../otel/stream/seldom.ts';
import { StreamCounters, type StreamStatus } from '../otel/stream/stream-status.ts';
import { StreamgaugeError } from '../proto/error.ts';
import { agentIdentity } from './agent-identity.ts';
import type { AgentConfig } from './config/agent-config.ts';
import { changedKeys } from './config/changes.ts';
import { HostSampling } from './host-sampling.ts';
import type { AgentLog } from './log.ts';
import { collectionOf } from './once.ts';
import { detectResource } from './resource/detect-resource.ts';
import { Sampler } from './sampler.ts';
import { type SourceDefinition, SourceGroups } from './source-groups.ts';
import type { Source } from './sources/source.ts';
import { AgentState, type AgentStateStatus } from './state/agent-state.ts';
import type { SamplingGroup } from './state/sampling-group.ts';
import type { NotCountedLine } from './state/state-content.ts';
import { StateFile } from './state/state-file.ts';
import { type AgentDrainReport, Uplink, type UplinkTarget } from './uplink/uplink.ts';

export interface AgentDependencies {
  /** A pino logger, or anything that logs as it does. */
  readonly log: AgentLog;
  /** Default: the process's own clocks. */
  readonly clock?: Clock | undefined;
  /** Sources beside those of the configuration. */
  readonly sources?: readonly SourceDefinition[] | undefined;
  /** The agent's software version, for Hello and the host source's scope. Default ''. */
  readonly version?: string | undefined;
  /** From 0 up to 1, for the jitter of the back-off. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

/** What the agent is doing: the uplink's figures and what is sampled. */
export interface AgentStatus extends StreamStatus {
  /** Who the agent is to the collector; empty before start. */
  readonly memberId: string;
  /** What is sampled together. */
  readonly sampling: readonly {
    readonly intervalMs: number;
    readonly sources: readonly string[];
    readonly collections: number;
  }[];
  /** What is kept over restarts. */
  readonly state: AgentStateStatus;
  /** What was counted and is told to nobody, this run's and earlier ones' that the state file tells of. */
  readonly notCounted: readonly NotCountedLine[];
  /** Collections in which a source threw. */
  readonly sourceErrors: number;
}

/** Whether another value of the key takes another stream. */
const needsStream = (key: string): boolean => /^collector\.(endpoint|tls|token_file|keepalive_)/.test(key);

/** How long a source that goes on throwing stays unmentioned. */
const sourceErrorPeriodMs = 10 * 60_000;

/**
 * An agent: sources that are sampled at their intervals, their state, and the uplink that reports it. Whatever goes wrong with the
 * collector or a source is logged and tried again; only a wrong configuration makes `start` reject.
 *
 * It starts once: after `drain` or `stop` another one is made.
 */
export class Agent {
  #config: AgentConfig;
  readonly #dependencies: AgentDependencies;
  readonly #clock: Clock;
  readonly #log: AgentLog;
  readonly #incarnation = randomBytes(16);
  readonly #kept: AgentState;
  readonly #sourceGroups: SourceGroups;
  readonly #sampler: Sampler;
  readonly #host: HostSampling;
  readonly #sourceErrors: Seldom;
  #sourceErrorCount = 0;
  #state: 'new' | 'running' | 'draining' | 'stopped' = 'new';
  #uplink: Uplink | undefined;
  #identity: Identity | undefined;

  constructor(config: AgentConfig, dependencies: AgentDependencies) {
    this.#config = config;
    this.#dependencies = dependencies;
    this.#log = dependencies.log;
    this.#clock = dependencies.clock ?? systemClock;
    const incarnation = this.#incarnation.toString('hex');
    this.#kept = new AgentState({ incarnation, clock: this.#clock, log: this.#log });
    this.#sourceGroups = new SourceGroups(incarnation, this.#kept.lives);
    this.#sourceErrors = new Seldom(this.#clock, sourceErrorPeriodMs);
    this.#sampler = new Sampler({
      clock: this.#clock,
      onCollected: () => {
        this.#kept.collected();
        this.#uplink?.report();
      },
      onSourceError: (source, error) => this.#sourceFailed(source, error),
    });
    this.#host = new HostSampling({
      groups: this.#sourceGroups,
      sampler: this.#sampler,
      clock: this.#clock,
      log: this.#log,
      version: dependencies.version ?? '',
    });
    for (const source of dependencies.sources ?? []) this.addSource(source);
  }

  /**
   * Adds a source, before start or while the agent runs.
   * @throws StreamgaugeError `config` for an interval that is not allowed
   */
  addSource(source: SourceDefinition): void {
    const added = this.#sourceGroups.add(source);
    if (added !== undefined) this.#sampler.add(added);
  }

  /**
   * Collects for the first time and begins to connect. A collector that is not there is no failure.
   * @throws StreamgaugeError `config` when the agent has no identity, `bug` when it was started before
   */
  async start(): Promise<void> {
    this.#leaveNew();
    const { version = '' } = this.#dependencies;
    let directory = this.#config.stateDir;
    const identity = agentIdentity(this.#config, this.#incarnation, version, this.#log, () => {
      directory = undefined;
    });
    this.#identity = identity;
    if (directory !== undefined) this.#openState(directory, identity);
    this.#host.apply(this.#config.host);
    this.#uplink = new Uplink({
      ...this.#target(identity),
      groups: () => this.#groups(),
      state: this.#kept,
      clock: this.#clock,
      log: this.#log,
    });
    this.#state = 'running';
    this.#uplink.start();
    this.#sampler.start();
  }

  /**
   * Takes another configuration while the agent runs. Sources of groups that changed are made anew, and their series go on under the same
   * epochs; another collector, TLS, token file or resource takes a new stream; all else goes on as it was. What changed is logged, and so is what
   * only the next start can change: who the agent is, and where it keeps its state.
   *
   * @returns the keys that changed, `atNextStart` those among them that have no effect yet
   * @throws StreamgaugeError `bug` when it does not run; what a source throws that cannot be made. Nothing has changed then
   */
  reload(config: AgentConfig): {
    readonly changed: readonly string[];
    readonly atNextStart: readonly string[];
  } {
    const identity = this.#identity;
    const uplink = this.#uplink;
    if (this.#state !== 'running' || identity === undefined || uplink === undefined)
      throw new StreamgaugeError('bug', `an agent that is ${this.#state} takes no other configuration`);
    const changed = changedKeys(this.#config, config);
    const atNextStart = changed.filter((key) => key === 'agent_id' || key === 'state_dir');
    if (changed.length > 0) {
      this.#host.apply(config.host);
      this.#config = config;
      const resource = this.#resource();
      const hasMoved = resourceKey(resource) !== resourceKey(identity.resource);
      if (hasMoved) this.#identity = { ...identity, resource };
      if (hasMoved || changed.some((key) => key.startsWith('collector.')))
        uplink.retarget(this.#target(this.#identity!), hasMoved || changed.some(needsStream));
    }
    this.#log.info(
      { changed, ...(atNextStart.length > 0 && { atNextStart }) },
      changed.length === 0
        ? 'the configuration was read again, and nothing has changed'
        : `the configuration was read again: ${changed.join(', ')} changed${atNextStart.length > 0 ? `, of which ${atNextStart.join(' and ')} at the next start only` : ''}`,
    );
    return { changed, atNextStart };
  }

  status(): AgentStatus {
    const uplink =
      this.#uplink?.status() ?? new StreamCounters().status(this.#config.collector.endpoint, undefined);
    return {
      ...uplink,
      memberId: this.#identity?.memberId ?? '',
      sampling: [...this.#sourceGroups.groups]
        .filter(({ sources }) => sources.length > 0)
        .map(({ group, sources }) => ({
          intervalMs: group.intervalMs,
          sources: sources.map(({ name }) => name),
          collections: group.collections,
        })),
      state: this.#kept.status(),
      notCounted: this.#kept.notCounted.lines,
      sourceErrors: this.#sourceErrorCount,
    };
  }

  /**
   * Collects a last time, reports it, says Goodbye and waits for the acknowledgement, all within the deadline. Never rejects.
   * @returns what was delivered and, when not everything was, why
   */
  async drain(deadlineMs: number): Promise<AgentDrainReport> {
    if (this.#uplink === undefined)
      return { delivered: false, lastReport: 0, acknowledged: 0, reason: 'the agent was not running' };
    if (this.#state === 'running') {
      this.#state = 'draining';
      this.#sampler.stop();
      this.#sampler.collectAll();
      await this.#kept.settled();
    }
    const report = await this.#uplink.drain(deadlineMs);
    await this.#kept.close(report.delivered);
    this.#state = 'stopped';
    return report;
  }

  /** Ends at once what `drain` has not ended. Safe before start and when repeated. */
  async stop(): Promise<void> {
    this.#state = 'stopped';
    this.#sampler.stop();
    this.#uplink?.stop();
    await this.#kept.close(false);
  }

  /** Collects once without connecting: what `streamgauge agent --once` prints. In place of `start`. */
  collectOnce(): Collection {
    this.#leaveNew();
    this.#host.apply(this.#config.host);
    this.#sampler.collectAll();
    return collectionOf(this.#groups(), this.#resource(), this.#clock.nowUs());
  }

  #leaveNew(): void {
    if (this.#state !== 'new')
      throw new StreamgaugeError('bug', `an agent starts once, and this one is ${this.#state}: make another`);
    this.#state = 'stopped';
  }

  #target(identity: Identity): UplinkTarget {
    const { collector } = this.#config;
    const { tls, tokenFile, keepaliveTimeMs, keepaliveTimeoutMs } = collector;
    return {
      identity,
      endpoint: collector.endpoint,
      channel: { target: collector.endpoint, tls, tokenFile, keepaliveTimeMs, keepaliveTimeoutMs },
      backOff: { ...collector.backOff, random: this.#dependencies.random },
      welcomeTimeoutMs: collector.connectTimeoutMs,
    };
  }

  #resource(): Resource {
    return detectResource({ root: this.#config.host.rootPath, attributes: this.#config.resource });
  }

  /** Before the host's sources define their series; those of the embedder have. */
  #openState(directory: string, identity: Identity): void {
    this.#kept.open(identity, new StateFile(directory), () => this.#uplink?.report());
    for (const group of this.#groups()) group.resumeLives();
  }

  *#groups(): Iterable<SamplingGroup> {
    for (const { group } of this.#sourceGroups.groups) yield group;
  }

  #sourceFailed(source: Source, error: unknown): void {
    this.#sourceErrorCount++;
    const times = this.#sourceErrors.due(source.name);
    if (times === undefined) return;
    this.#log.error(
      { source: source.name, err: error, times },
      `the source ${source.name} failed; its values stay as they were`,
    );
  }
}
