import { randomBytes } from 'node:crypto';
import type { ServerTlsConfig } from '../otel/config/server-tls.ts';
import { StateProducer, type StateProducerOptions } from '../otel/export/state-producer.ts';
import type { Temporality } from '../otel/model/metric.ts';
import type { Collection } from '../otel/state/point-batch.ts';
import { StreamgaugeError } from '../proto/error.ts';
import type { CollectorDependencies, CollectorDrainReport, CollectorLog } from './collector-contract.ts';
import { type CollectorCore, directoryCore, memoryCore } from './collector-core.ts';
import { type AgentView, agentViews, collectorLevels, noLevels, readerFigures } from './collector-status.ts';
import type { CollectorConfig } from './config/collector-config.ts';
import { refuseReaderLoops } from './config/reader-loops.ts';
import { drain } from './drain.ts';
import { KeptIntervals } from './durability/kept-intervals.ts';
import { reloadRoute } from './http/reload-route.ts';
import { inspectRoutes } from './inspect/inspect-routes.ts';
import { FullCollection } from './metric-readers.ts';
import { OpenPorts } from './open-ports.ts';
import { OutputProblems } from './outputs/output-problems.ts';
import { passOver } from './pass-over.ts';
import { PortSpecs } from './port-specs.ts';
import { PushReaders } from './push-readers.ts';
import { OtlpReceiver } from './receivers/otlp/otlp-receiver.ts';
import type { ConfigChange } from './reload/config-changes.ts';
import { ownListeners, reload } from './reload/reload.ts';
import { Access } from './security/access.ts';
import { Denials } from './security/denials.ts';
import { Exceeded } from './security/exceeded.ts';
import { PortGuard } from './security/port-guard.ts';
import { ServerTls } from './security/server-tls.ts';
import { CollectorTelemetry } from './telemetry/collector-telemetry.ts';

export type { CollectorDependencies, CollectorDrainReport, CollectorLog } from './collector-contract.ts';

const tickMs = 1000;
/** What is written at an end without a drain. */
const storageCloseMs = 2000;

/**
 * The collector: agents' streams in, aggregated metrics out. Sinks start first and sources last; `drain` goes the other way. `stop` is
 * safe before start and when repeated.
 */
export class Collector {
  #config: CollectorConfig;
  readonly #dependencies: CollectorDependencies;
  readonly #log: CollectorLog;
  readonly #version: string;
  readonly #problems: OutputProblems;
  readonly #telemetry: CollectorTelemetry;
  readonly #access: Access;
  readonly #denials: Denials;
  readonly #exceeded: Exceeded;
  #core: CollectorCore | undefined;
  #otlp: OtlpReceiver | undefined;
  #scraped: FullCollection | undefined;
  #readers: PushReaders | undefined;
  #specs: PortSpecs | undefined;
  readonly #ports = new OpenPorts();
  /** The last reload, and what it lets go of. */
  #reloading: Promise<void> = Promise.resolve();
  /** Aborted when no reload is to go on. */
  readonly #ending = new AbortController();
  #state: 'new' | 'starting' | 'running' | 'draining' | 'stopped' = 'new';
  #ticker: NodeJS.Timeout | undefined;

  constructor(config: CollectorConfig, dependencies: CollectorDependencies) {
    const { log, version = '0.0.0' } = dependencies;
    this.#config = config;
    this.#dependencies = dependencies;
    this.#log = log;
    this.#version = version;
    this.#problems = new OutputProblems((problem, message) => log.warn({ problem }, message));
    this.#telemetry = new CollectorTelemetry({
      version,
      instanceId: randomBytes(16).toString('hex'),
      resource: config.resource,
      levels: () => (this.#core === undefined ? noLevels : collectorLevels(this.#core, this.#problems)),
      onError: (error) => log.warn({ err: error }, "one of the collector's own metrics could not be read"),
    });
    const { denials, limits } = this.#telemetry.counters;
    const warn = (fields: object, message: string): void => log.warn(fields, message);
    this.#access = new Access(config.auth, log);
    this.#denials = new Denials(denials, warn);
    this.#exceeded = new Exceeded(limits, warn);
    if (config.storage.kind === 'memory') this.#core = memoryCore(this.#coreOptions());
  }

  /** `HOST:PORT` of each listener, with the ports that are bound. */
  get addresses(): { readonly grpc: string; readonly http: string; readonly admin: string } {
    const [grpc, http, admin] = ['grpc', 'http', 'admin'].map((name) => this.#ports.addressOf(name));
    return { grpc: grpc!, http: http!, admin: admin! };
  }

  /**
   * Opens the data directory, listens and exports.
   * @throws StreamgaugeError `config` when an address or the data directory cannot be had, `unavailable` when the disk fails; what was started is stopped by `stop`
   */
  async start(): Promise<void> {
    if (this.#state !== 'new') return;
    this.#state = 'starting';
    this.#readers = this.#makeReaders();
    this.#core ??= await directoryCore(this.#coreOptions(), new KeptIntervals(this.#readers.kept, this.#log));
    this.#readers.bind(this.#core);
    this.#specs = this.#build(this.#core);
    this.#telemetry.start();
    this.#access.start();
    for (const spec of this.#specs.http(this.#config)) await this.#ports.open(spec);
    // Sinks before the source that fills them; none exports within the moment that the loop check below takes.
    this.#readers.start();
    await this.#ports.open(this.#specs.grpc(this.#config));
    refuseReaderLoops(this.#config.readers, ownListeners(this.#config, this.#ports));
    this.#ticker = setInterval(() => this.#tick(), tickMs);
    this.#ticker.unref();
    this.#state = 'running';
    const { status } = this.#core.storage;
    const dataDir = status.kind === 'memory' ? null : status.path;
    this.#log.info({ ...this.addresses, dataDir }, 'collector started');
  }

  /** The figures that `streamgauge up` and `/status` show. */
  figures() {
    const { state, sessions } = this.#running;
    return {
      agents: sessions.size,
      seriesIn: state.store.seriesCount,
      seriesOut: state.outputs.points,
      points: sessions.counters.points + this.#telemetry.counters.otlp.points,
      wireBytes: this.#specs?.wireBytes ?? 0,
      readers: this.#readerFigures(),
    };
  }

  /** All agents whose state is held. */
  agents(): AgentView[] {
    const { state, sessions } = this.#running;
    return agentViews(sessions, state.outputs);
  }

  /** What leaves the collector now, cumulative, without the collector's own metrics. */
  collect(): Collection {
    const { outputs } = this.#running.state;
    return outputs.collect(outputs.passerBy(), Date.now() * 1000);
  }

  /**
   * The same for a MetricReader of the OpenTelemetry SDK, as one of its `metricProducers`: how any PushMetricExporter gets it, with the temporality
   * that it asks for. Each producer is a reader of its own as long as the collector lives. The SDK does not tell whether an export succeeded, so
   * asking for the next collection counts as success of the one before. Without a data directory it counts since the collector began; with one, since
   * the producer was made, since nobody can tell what was exported before a restart. With a data directory, after start.
   */
  metricProducer(
    temporality: Temporality,
    options: Pick<StateProducerOptions, 'resources' | 'onLoss'> = {},
  ): StateProducer {
    const { state, storage } = this.#running;
    const { outputs } = state;
    const cursor = outputs.addReader(temporality);
    if (temporality === 'delta' && storage.kind === 'directory')
      passOver(outputs.collect(cursor, Date.now() * 1000));
    return new StateProducer({
      ...options,
      collect: (timeUs) => {
        outputs.delivered(cursor);
        return outputs.collect(cursor, timeUs);
      },
    });
  }

  /**
   * Puts another configuration in force while streams go on, or the one that is read anew. What did not change goes on untouched. Reloads follow one another.
   * @throws StreamgaugeError with what is wrong; everything is as it was then. The log says so too
   */
  reload(config?: CollectorConfig): Promise<readonly ConfigChange[]> {
    const turn = this.#reloading.then(() => this.#reload(config));
    this.#reloading = turn.then(
      ({ settled }) => settled,
      () => {},
    );
    return turn.then(({ changes }) => changes);
  }

  async #reload(given: CollectorConfig | undefined) {
    const { readConfig, onReloaded } = this.#dependencies;
    try {
      if (this.#state !== 'running')
        throw new StreamgaugeError('unavailable', `the collector is ${this.#state}; reload it when it runs`);
      const config = given ?? (await readConfig?.());
      if (config === undefined)
        throw new StreamgaugeError('config', 'this collector has no configuration to read again: give one');
      const reloaded = await reload(this.#parts, this.#config, config, this.#ending.signal);
      this.#config = config;
      onReloaded?.(config);
      const { changes } = reloaded;
      if (changes.length === 0) this.#log.info({}, 'configuration read again: nothing has changed');
      else this.#log.info({ changes, ...this.addresses }, 'configuration read again and put in force');
      return reloaded;
    } catch (error) {
      const { kind, message } = StreamgaugeError.from(error);
      const more = kind === 'bug' ? { err: error } : { problems: message.split('\n') };
      this.#log.error(more, 'the configuration cannot be used, so the collector goes on with the one it has');
      throw error;
    }
  }

  get #parts() {
    return {
      core: this.#running,
      access: this.#access,
      telemetry: this.#telemetry,
      scraped: this.#scraped!,
      otlp: this.#otlp!,
      readers: this.#readers!,
      ports: this.#ports,
      specs: this.#specs!,
      log: this.#log,
    };
  }

  /** Refuses new streams, asks agents to leave, exports once more, and makes the next start quick. What is not done by the deadline is said in the report. */
  async drain(deadlineMs: number): Promise<CollectorDrainReport> {
    const { core, readers, ports } = this.#parts;
    this.#state = 'draining';
    this.#ending.abort();
    return await drain({ core, readers, ports, reloading: this.#reloading }, deadlineMs);
  }

  async stop(): Promise<void> {
    if (this.#state === 'stopped') return;
    this.#state = 'stopped';
    clearInterval(this.#ticker);
    this.#access.stop();
    this.#ending.abort();
    this.#core?.sessions.stop();
    await this.#ports.stop();
    await this.#readers?.stop();
    await this.#scraped?.stop();
    await this.#core?.storage.close(storageCloseMs);
    this.#telemetry.stop();
  }

  get #running(): CollectorCore {
    if (this.#core === undefined)
      throw new StreamgaugeError(
        'bug',
        'a collector with a data directory has no state before it is started',
      );
    return this.#core;
  }

  #coreOptions() {
    return {
      config: this.#config,
      problems: this.#problems,
      counters: this.#telemetry.counters.sessions,
      log: this.#log,
    };
  }

  /** They are there before the state, which may hold what they have yet to send. */
  #makeReaders(): PushReaders {
    const isKept = this.#config.storage.kind === 'directory';
    return new PushReaders(this.#config, {
      telemetry: this.#telemetry,
      log: this.#log,
      version: this.#version,
      committed: isKept ? () => this.#running.storage.committed() : undefined,
    });
  }

  #build({ state, sessions, storage, otlpJournal, writerId }: CollectorCore): PortSpecs {
    const { outputs, store } = state;
    const log = this.#log;
    this.#otlp = new OtlpReceiver({
      state,
      sessions,
      journal: otlpJournal,
      counters: this.#telemetry.counters.otlp,
      isDraining: () => this.#state === 'draining',
      failure: () => storage.failure,
      log: (level, fields, message) => log[level](fields, message),
    });
    this.#scraped = new FullCollection(this.#telemetry, 'cumulative');
    this.#scraped.bind(outputs, outputs.passerBy());
    const inspected = inspectRoutes(store, () =>
      this.#pushReaders.map(({ reader }) => ({
        name: reader.name,
        counts: reader.status.counts,
        lines: reader.ledger(),
      })),
    );
    const isReloadable = this.#dependencies.readConfig !== undefined;
    return new PortSpecs({
      writerId,
      sessions,
      otlp: this.#otlp,
      backlog: storage,
      security: (port, tls, isOpen) => this.#security(port, tls, isOpen),
      telemetry: this.#telemetry,
      scraped: this.#scraped,
      committed: storage.kind === 'memory' ? undefined : () => storage.committed(),
      failure: () => storage.failure,
      ready: () => this.#ready(storage.failure),
      status: () => this.#status(),
      agents: () => this.agents(),
      adminRoutes: isReloadable ? [...inspected, reloadRoute(() => this.reload())] : inspected,
      log,
    });
  }

  get #pushReaders() {
    return this.#readers?.all ?? [];
  }

  /** TLS of a port, and who may come in there; nothing where there is neither. */
  #security(port: string, config: ServerTlsConfig | undefined, isOpen: boolean) {
    const tls = config === undefined ? undefined : new ServerTls(config, port, this.#log);
    const exceeded = this.#exceeded.of(port);
    if (tls === undefined && isOpen) return { tls: undefined, guard: undefined, exceeded };
    const asksClients = tls?.asksClients ?? false;
    return {
      tls,
      exceeded,
      guard: new PortGuard({ port, asksClients, access: this.#access, denials: this.#denials }),
    };
  }

  #ready(failure: StreamgaugeError | undefined) {
    if (this.#state !== 'running')
      return { ready: false, reason: this.#state === 'draining' ? 'draining' : 'starting' };
    return failure === undefined
      ? { ready: true }
      : { ready: false, reason: `nothing is acknowledged nor exported: ${failure.message}` };
  }

  #tick(): void {
    const { state, sessions, storage } = this.#running;
    sessions.tick();
    this.#otlp?.tick();
    state.outputs.sweep();
    storage.tick();
  }

  #readerFigures() {
    return readerFigures(this.#pushReaders, this.#config.readers, this.#telemetry.counters);
  }

  #status() {
    const { sessions, storage } = this.#running;
    return {
      version: this.#version,
      state: this.#state,
      addresses: this.addresses,
      uptimeMs: Math.round(performance.now()),
      ...this.figures(),
      members: collectorLevels(this.#running, this.#problems),
      streams: sessions.counters,
      storage: storage.status,
      problems: this.#problems.list,
      readers: this.#readerFigures(),
      exports: this.#pushReaders.map(({ reader }) => reader.status),
    };
  }
}
