import { randomBytes } from 'node:crypto';
import { hostPort } from '../otel/config/addresses.ts';
import type { ServerTlsConfig } from '../otel/config/server-tls.ts';
import type { ExportLog } from '../otel/export/reader-log.ts';
import { StateProducer, type StateProducerOptions } from '../otel/export/state-producer.ts';
import type { Temporality } from '../otel/model/metric.ts';
import { type Collection, noMore, PointBatch } from '../otel/state/point-batch.ts';
import { StreamgaugeError } from '../proto/error.ts';
import { type CollectorCore, directoryCore, memoryCore } from './collector-core.ts';
import { collectorListeners } from './collector-listeners.ts';
import { type AgentView, agentViews, collectorLevels, noLevels, readerFigures } from './collector-status.ts';
import type { CollectorConfig } from './config/collector-config.ts';
import { refuseReaderLoops } from './config/reader-loops.ts';
import { KeptIntervals } from './durability/kept-intervals.ts';
import type { HttpListener } from './http/http-listener.ts';
import { inspectRoutes } from './inspect/inspect-routes.ts';
import { bindReader, FullCollection, isPush, type PushReader, pushReader } from './metric-readers.ts';
import { OutputProblems } from './outputs/output-problems.ts';
import { GrpcReceiver } from './receivers/grpc-receiver.ts';
import { OtlpReceiver } from './receivers/otlp/otlp-receiver.ts';
import { Access } from './security/access.ts';
import { Denials } from './security/denials.ts';
import { Exceeded } from './security/exceeded.ts';
import { PortGuard } from './security/port-guard.ts';
import { ServerTls } from './security/server-tls.ts';
import { CollectorTelemetry } from './telemetry/collector-telemetry.ts';

/** A pino logger is one. */
export type CollectorLog = ExportLog & {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
};

export interface CollectorDependencies {
  readonly log: CollectorLog;
  /** Of the program, for its own resource. */
  readonly version?: string;
}

/** What a drain came to. */
export interface CollectorDrainReport {
  /** Every push reader's backend has the last state. */
  readonly delivered: boolean;
  /** Agents that left when they were asked, and those that were cut off. */
  readonly agents: { readonly left: number; readonly cutOff: number };
  /** Why not everything that agents were told is kept could be kept in time; `undefined`: it is. */
  readonly storageError: string | undefined;
  readonly readers: readonly {
    readonly name: string;
    readonly delivered: boolean;
    readonly pointsDelivered: number;
    readonly pointsUndelivered: number;
    /** They wait on the disk, and are delivered after the next start. */
    readonly pointsKept: number;
    readonly error: string | undefined;
  }[];
}

const tickMs = 1000;
/** What is written at an end without a drain. */
const storageCloseMs = 2000;

/**
 * The collector: agents' streams in, aggregated metrics out. Sinks start first and sources last; `drain` goes the other way. `stop` is
 * safe before start and when repeated.
 */
export class Collector {
  readonly #config: CollectorConfig;
  readonly #log: CollectorLog;
  readonly #version: string;
  readonly #problems: OutputProblems;
  readonly #telemetry: CollectorTelemetry;
  readonly #access: Access;
  readonly #denials: Denials;
  readonly #exceeded: Exceeded;
  #core: CollectorCore | undefined;
  #otlp: OtlpReceiver | undefined;
  #grpc: GrpcReceiver | undefined;
  #scraped: FullCollection | undefined;
  readonly #pushReaders: PushReader[] = [];
  readonly #listeners: HttpListener[] = [];
  #addresses = { grpc: '', http: '', admin: '' };
  #state: 'new' | 'starting' | 'running' | 'draining' | 'stopped' = 'new';
  #ticker: NodeJS.Timeout | undefined;

  constructor(config: CollectorConfig, { log, version = '0.0.0' }: CollectorDependencies) {
    this.#config = config;
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
    return this.#addresses;
  }

  /**
   * Opens the data directory, listens and exports.
   * @throws StreamgaugeError `config` when an address or the data directory cannot be had, `unavailable` when the disk fails; what was started is stopped by `stop`
   */
  async start(): Promise<void> {
    if (this.#state !== 'new') return;
    this.#state = 'starting';
    this.#makeReaders();
    this.#core ??= await directoryCore(this.#coreOptions(), this.#keptIntervals());
    this.#build(this.#core);
    this.#telemetry.start();
    this.#access.start();
    for (const listener of this.#listeners) await listener.start();
    const [http, admin] = this.#listeners as [HttpListener, HttpListener];
    const { grpc } = this.#config;
    // Sinks before the source that fills them; none exports within the moment that the loop check below takes.
    for (const { reader } of this.#pushReaders) reader.start();
    const port = await this.#grpc!.start();
    this.#addresses = {
      grpc: hostPort(grpc.host, port),
      http: hostPort(this.#config.http.host, http.port),
      admin: hostPort(this.#config.admin.host, admin.port),
    };
    refuseReaderLoops(this.#config.readers, [
      { name: 'grpc', host: grpc.host, port },
      { name: 'http', host: this.#config.http.host, port: http.port },
      { name: 'admin', host: this.#config.admin.host, port: admin.port },
    ]);
    this.#ticker = setInterval(() => this.#tick(), tickMs);
    this.#ticker.unref();
    this.#state = 'running';
    const { status } = this.#core.storage;
    const dataDir = status.kind === 'memory' ? null : status.path;
    this.#log.info({ ...this.#addresses, dataDir }, 'collector started');
  }

  /** The figures that `streamgauge up` and `/status` show. */
  figures() {
    const { state, sessions } = this.#running;
    return {
      agents: sessions.size,
      seriesIn: state.store.seriesCount,
      seriesOut: state.outputs.points,
      points: sessions.counters.points + this.#telemetry.counters.otlp.points,
      wireBytes: this.#grpc?.bytes.total ?? 0,
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

  /** Refuses new streams, asks agents to leave, exports once more, and makes the next start quick. What is not done by the deadline is said in the report. */
  async drain(deadlineMs: number): Promise<CollectorDrainReport> {
    const deadline = performance.now() + deadlineMs;
    const { sessions, storage } = this.#running;
    this.#state = 'draining';
    this.#grpc?.drain();
    // Agents get half of the time, so that the last export has the rest.
    const agents = await sessions.drain(deadlineMs / 2);
    const left = (): number => Math.max(0, deadline - performance.now());
    const readers = await Promise.all(
      this.#pushReaders.map(async ({ reader }) => ({ name: reader.name, ...(await reader.drain(left())) })),
    );
    await Promise.all(this.#listeners.map((listener) => listener.drain(left())));
    await storage.checkpoint(AbortSignal.timeout(Math.ceil(left())));
    const storageError = await storage.close(left());
    const delivered = storageError === undefined && readers.every((reader) => reader.delivered);
    return { delivered, agents, readers, storageError: storageError?.message };
  }

  async stop(): Promise<void> {
    if (this.#state === 'stopped') return;
    this.#state = 'stopped';
    clearInterval(this.#ticker);
    this.#access.stop();
    this.#core?.sessions.stop();
    await this.#grpc?.stop();
    await Promise.all(this.#listeners.map((listener) => listener.stop()));
    await Promise.all(this.#pushReaders.map(({ reader }) => reader.stop()));
    await Promise.all([
      ...this.#pushReaders.map(({ collection }) => collection.stop()),
      this.#scraped?.stop(),
    ]);
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
  #makeReaders(): void {
    const isKept = this.#config.storage.kind === 'directory';
    const committed = isKept ? () => this.#running.storage.committed() : undefined;
    const surroundings = {
      telemetry: this.#telemetry,
      log: this.#log,
      version: this.#version,
      committed,
    };
    for (const reader of this.#config.readers.filter(isPush))
      this.#pushReaders.push(pushReader(reader, surroundings));
  }

  #keptIntervals(): KeptIntervals {
    const kept = this.#pushReaders.flatMap(({ reader: { name, intervals }, collection }) =>
      intervals === undefined ? [] : [{ name, intervals, bind: collection.bind.bind(collection) }],
    );
    return new KeptIntervals(kept, this.#log);
  }

  #build({ state, sessions, storage, intervalJournal, otlpJournal, writerId }: CollectorCore): void {
    const { outputs, store } = state;
    const log = this.#log;
    this.#otlp = new OtlpReceiver({
      config: this.#config.otlp,
      state,
      sessions,
      journal: otlpJournal,
      counters: this.#telemetry.counters.otlp,
      isDraining: () => this.#state === 'draining',
      failure: () => storage.failure,
      log: (level, fields, message) => log[level](fields, message),
    });
    this.#grpc = new GrpcReceiver(
      this.#config.grpc,
      sessions,
      (error) => log.error({ err: error }, 'a message made the collector fail; please report this'),
      { ...this.#security('grpc', this.#config.grpc.tls), otlp: this.#otlp.grpc, backlog: storage },
    );
    const committed = storage.kind === 'memory' ? undefined : () => storage.committed();
    this.#scraped = new FullCollection(this.#telemetry, 'cumulative');
    this.#scraped.bind(outputs, outputs.passerBy());
    for (const reader of this.#pushReaders) {
      const cursor = bindReader(reader, outputs);
      reader.journal = intervalJournal?.(cursor);
    }
    this.#listeners.push(
      ...collectorListeners({
        config: this.#config,
        writerId,
        security: (port, tls) => this.#security(port, tls),
        telemetry: this.#telemetry,
        scraped: this.#scraped,
        committed,
        failure: () => storage.failure,
        ready: () => this.#ready(storage.failure),
        status: () => this.#status(),
        agents: () => this.agents(),
        routes: this.#otlp.routes,
        adminRoutes: inspectRoutes(store, () =>
          this.#pushReaders.map(({ reader }) => ({
            name: reader.name,
            counts: reader.status.counts,
            lines: reader.ledger(),
          })),
        ),
        log,
      }),
    );
  }

  /** TLS of a port, and who may come in there; nothing where there is neither. */
  #security(port: string, config: ServerTlsConfig | undefined) {
    const tls = config === undefined ? undefined : new ServerTls(config, port, this.#log);
    const exceeded = this.#exceeded.of(port);
    if (tls === undefined && this.#access.isOpen) return { tls: undefined, guard: undefined, exceeded };
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
      addresses: this.#addresses,
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

/** What there is by now belongs to no interval of a reader that begins. */
function passOver({ resources }: Collection): void {
  const batch = new PointBatch();
  for (const { scopes } of resources)
    for (const { streams } of scopes)
      for (const stream of streams) for (let at = 0; at !== noMore; ) at = stream.read(batch, at);
}
