import { randomBytes } from 'node:crypto';
import type { ServerTlsConfig } from '../otel/config/server-tls.ts';
import type { ExportLog } from '../otel/export/reader-log.ts';
import { StateProducer, type StateProducerOptions } from '../otel/export/state-producer.ts';
import type { Temporality } from '../otel/model/metric.ts';
import { TargetLabels } from '../otel/prometheus/target-labels.ts';
import { PrometheusWriter } from '../otel/prometheus/writer.ts';
import type { Collection } from '../otel/state/point-batch.ts';
import { type AgentView, agentViews } from './collector-status.ts';
import type { CollectorConfig } from './config/collector-config.ts';
import { refuseReaderLoops } from './config/reader-loops.ts';
import { ConflictLog } from './http/conflict-log.ts';
import type { HttpListener } from './http/http-listener.ts';
import type { MetricsRouteOptions } from './http/metrics-route.ts';
import { adminServer, httpServer, prometheusServer } from './http/servers.ts';
import { inspectRoutes } from './inspect/inspect-routes.ts';
import { FullCollection, isPull, isPush, type PushReader, pushReader, targetOf } from './metric-readers.ts';
import { OutputProblems } from './outputs/output-problems.ts';
import { Outputs } from './outputs/outputs.ts';
import { GrpcReceiver } from './receivers/grpc-receiver.ts';
import { Access } from './security/access.ts';
import { Denials } from './security/denials.ts';
import { Exceeded } from './security/exceeded.ts';
import { PortGuard } from './security/port-guard.ts';
import { seldomWarnings } from './security/seldom-warnings.ts';
import { ServerTls } from './security/server-tls.ts';
import { Sessions } from './sessions/sessions.ts';
import { storeNowUs } from './store-clock.ts';
import { CollectorTelemetry } from './telemetry/collector-telemetry.ts';
import { compileViews, longestStalenessMs } from './views/compile-views.ts';

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
  readonly readers: readonly {
    readonly name: string;
    readonly delivered: boolean;
    readonly pointsDelivered: number;
    readonly pointsUndelivered: number;
    readonly error: string | undefined;
  }[];
}

const tickMs = 1000;

/**
 * The collector: agents' streams in, aggregated metrics out. Sinks start first and sources last; `drain` goes the other way. `stop` is
 * safe before start and when repeated.
 */
export class Collector {
  readonly #config: CollectorConfig;
  readonly #log: CollectorLog;
  readonly #version: string;
  readonly #problems: OutputProblems;
  readonly #outputs: Outputs;
  readonly #sessions: Sessions;
  readonly #telemetry: CollectorTelemetry;
  readonly #access: Access;
  readonly #denials: Denials;
  readonly #exceeded: Exceeded;
  readonly #grpc: GrpcReceiver;
  readonly #scraped: FullCollection;
  readonly #pushReaders: PushReader[] = [];
  readonly #listeners: HttpListener[] = [];
  #addresses = { grpc: '', http: '', admin: '' };
  #state: 'new' | 'starting' | 'running' | 'draining' | 'stopped' = 'new';
  #ticker: NodeJS.Timeout | undefined;

  constructor(config: CollectorConfig, { log, version = '0.0.0' }: CollectorDependencies) {
    this.#config = config;
    this.#log = log;
    this.#version = version;
    const directoryId = randomBytes(16);
    const term = randomBytes(8);
    const writerId = directoryId.toString('hex');
    this.#problems = new OutputProblems((problem, message) => log.warn({ problem }, message));
    this.#outputs = new Outputs({
      nowUs: storeNowUs,
      plansFor: compileViews(config.views, config.stalenessMs),
      writerId,
      outputExpiryMs: config.outputExpiryMs,
      problems: this.#problems,
    });
    this.#telemetry = new CollectorTelemetry({
      version,
      instanceId: randomBytes(16).toString('hex'),
      resource: config.resource,
      levels: () => this.#levels(),
      onError: (error) => log.warn({ err: error }, "one of the collector's own metrics could not be read"),
    });
    this.#sessions = new Sessions({
      store: this.#outputs.store,
      counters: this.#telemetry.counters.sessions,
      limits: config.grpc.limits,
      position: { directoryId, term, journalPosition: 0 },
      stalenessMs: longestStalenessMs(config.views, config.stalenessMs),
      evictionMs: config.evictionMs,
      nowUs: storeNowUs,
      log: seldomWarnings((level, fields, message) => log[level](fields, message)),
    });
    this.#access = new Access(config.auth, log);
    this.#denials = new Denials(this.#telemetry.counters.denials, (fields, message) =>
      log.warn(fields, message),
    );
    this.#exceeded = new Exceeded(this.#telemetry.counters.limits, (fields, message) =>
      log.warn(fields, message),
    );
    this.#grpc = new GrpcReceiver(
      config.grpc,
      this.#sessions,
      (error) => log.error({ err: error }, 'a message made the collector fail; please report this'),
      this.#security('grpc', config.grpc.tls),
    );
    const surroundings = { outputs: this.#outputs, telemetry: this.#telemetry, log, version };
    this.#scraped = new FullCollection(surroundings, this.#outputs.passerBy());
    for (const reader of config.readers.filter(isPush))
      this.#pushReaders.push(pushReader(reader, surroundings));
    this.#makeListeners(writerId);
  }

  /** `HOST:PORT` of each listener, with the ports that are bound. */
  get addresses(): { readonly grpc: string; readonly http: string; readonly admin: string } {
    return this.#addresses;
  }

  /** Listens and exports. @throws StreamgaugeError `config` when an address cannot be had; what was started is stopped by `stop` */
  async start(): Promise<void> {
    if (this.#state !== 'new') return;
    this.#state = 'starting';
    this.#telemetry.start();
    this.#access.start();
    for (const listener of this.#listeners) await listener.start();
    const [http, admin] = this.#listeners as [HttpListener, HttpListener];
    const { grpc } = this.#config;
    // Sinks before the source that fills them; none exports within the moment that the loop check below takes.
    for (const { reader } of this.#pushReaders) reader.start();
    const port = await this.#grpc.start();
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
    this.#log.info(this.#addresses, 'collector started');
  }

  /** The figures that `streamgauge up` and `/status` show. */
  figures() {
    const { counters } = this.#sessions;
    return {
      agents: this.#sessions.size,
      seriesIn: this.#outputs.store.seriesCount,
      seriesOut: this.#outputs.points,
      points: counters.points,
      wireBytes: this.#grpc.bytes.total,
      readers: this.#readerFigures(),
    };
  }

  /** All agents whose state is held. */
  agents(): AgentView[] {
    return agentViews(this.#sessions, this.#outputs);
  }

  /** What leaves the collector now, cumulative, without the collector's own metrics. */
  collect(): Collection {
    return this.#outputs.collect(this.#outputs.passerBy(), Date.now() * 1000);
  }

  /**
   * The same for a MetricReader of the OpenTelemetry SDK, as one of its `metricProducers`: how any PushMetricExporter gets it, with the temporality
   * that it asks for. Each producer is a reader of its own as long as the collector lives. The SDK does not tell whether an export succeeded, so
   * asking for the next collection counts as success of the one before.
   */
  metricProducer(
    temporality: Temporality,
    options: Pick<StateProducerOptions, 'resources' | 'onLoss'> = {},
  ): StateProducer {
    const cursor = this.#outputs.addReader(temporality);
    return new StateProducer({
      ...options,
      collect: (timeUs) => {
        this.#outputs.delivered(cursor);
        return this.#outputs.collect(cursor, timeUs);
      },
    });
  }

  /** Refuses new streams, asks agents to leave, exports once more. What is not done by the deadline is said in the report. */
  async drain(deadlineMs: number): Promise<CollectorDrainReport> {
    const deadline = performance.now() + deadlineMs;
    this.#state = 'draining';
    this.#grpc.drain();
    // Agents get half of the time, so that the last export has the rest.
    const agents = await this.#sessions.drain(deadlineMs / 2);
    const left = (): number => Math.max(0, deadline - performance.now());
    const readers = await Promise.all(
      this.#pushReaders.map(async ({ reader }) => ({ name: reader.name, ...(await reader.drain(left())) })),
    );
    await Promise.all(this.#listeners.map((listener) => listener.drain(left())));
    return { delivered: readers.every(({ delivered }) => delivered), agents, readers };
  }

  async stop(): Promise<void> {
    if (this.#state === 'stopped') return;
    this.#state = 'stopped';
    clearInterval(this.#ticker);
    this.#access.stop();
    this.#sessions.stop();
    await this.#grpc.stop();
    await Promise.all(this.#listeners.map((listener) => listener.stop()));
    await Promise.all(this.#pushReaders.map(({ reader }) => reader.stop()));
    await Promise.all([
      ...this.#pushReaders.map(({ collection }) => collection.stop()),
      this.#scraped.stop(),
    ]);
    this.#telemetry.stop();
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

  #makeListeners(writerId: string): void {
    const { http, admin, readers } = this.#config;
    const conflicts = new ConflictLog((conflict, message) => this.#log.warn({ conflict }, message));
    const onFailure = (error: Error, path: string): void =>
      this.#log.warn({ err: error, path }, 'an HTTP request could not be answered');
    const metrics: MetricsRouteOptions = {
      writer: new PrometheusWriter(new TargetLabels({ writerId })),
      collection: () => this.#scraped.collect(Date.now() * 1000),
      onScrape: (report) => {
        this.#telemetry.scraped(report);
        conflicts.scraped(report);
      },
    };
    const ready = () => ({
      ready: this.#state === 'running',
      reason: this.#state === 'draining' ? 'draining' : 'starting',
    });
    this.#listeners.push(
      httpServer({ ...http, ...this.#security('http', http.tls), ...metrics, onFailure, ready }),
      adminServer({
        ...admin,
        ...this.#security('admin', admin.tls),
        onFailure,
        status: () => this.#status(),
        agents: () => this.agents(),
        routes: inspectRoutes(this.#outputs.store, () =>
          this.#pushReaders.map(({ reader }) => ({
            name: reader.name,
            counts: reader.status.counts,
            lines: reader.ledger(),
          })),
        ),
      }),
      ...readers.filter(isPull).map(({ host, port, name, tls }) =>
        prometheusServer({
          host,
          port,
          ...this.#security(name, tls),
          ...metrics,
          limits: http.limits,
          allowedHosts: http.allowedHosts,
          onFailure,
          portSetting: `the port of the reader ${name}`,
        }),
      ),
    );
  }

  #tick(): void {
    this.#sessions.tick();
    this.#outputs.sweep();
  }

  #levels() {
    const { store } = this.#outputs;
    let membersPresent = 0;
    for (const member of store.members) if (member.isPresent) membersPresent++;
    return {
      activeStreams: this.#sessions.size,
      membersPresent,
      membersStale: store.members.size - membersPresent,
      inputSeries: store.seriesCount,
      outputSeries: this.#outputs.points,
      epochsOpened: store.epochsOpened,
      outputConflicts: this.#problems.conflicts,
      outputOverflow: this.#outputs.overflowed,
      viewsInapplicable: this.#problems.inapplicable,
    };
  }

  #readerFigures() {
    const push = this.#pushReaders.map(({ config, reader }) => {
      const { name, counts, lastError, lastSuccessTimeMs, failuresInARow } = reader.status;
      const state = failuresInARow > 0 ? 'failing' : lastSuccessTimeMs === undefined ? 'waiting' : 'ok';
      return {
        name,
        target: targetOf(config),
        state: state as 'failing' | 'waiting' | 'ok',
        points: counts.pointsExported,
        droppedPoints: counts.pointsFailed + counts.pointsRejected + counts.pointsDropped,
        error: failuresInARow > 0 ? (lastError?.message ?? '') : '',
      };
    });
    const pull = this.#config.readers.filter(isPull).map((config) => ({
      name: config.name,
      target: targetOf(config),
      state: 'ok' as const,
      points: this.#telemetry.counters.scrapes.samples,
      droppedPoints: 0,
      error: '',
    }));
    return [...push, ...pull];
  }

  #status() {
    return {
      version: this.#version,
      state: this.#state,
      addresses: this.#addresses,
      uptimeMs: Math.round(performance.now()),
      ...this.figures(),
      members: this.#levels(),
      streams: this.#sessions.counters,
      problems: this.#problems.list,
      readers: this.#readerFigures(),
      exports: this.#pushReaders.map(({ reader }) => reader.status),
    };
  }
}

function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
