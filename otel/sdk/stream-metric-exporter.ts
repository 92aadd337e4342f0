import { randomBytes, randomUUID } from 'node:crypto';
import { type DiagLogger, diag } from '@opentelemetry/api';
import {
  AggregationTemporality,
  type PushMetricExporter,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { StreamgaugeError } from '../../proto/error.ts';
import { maxMemberIdBytes } from '../../proto/messages/agent-message.ts';
import type { Position } from '../../proto/messages/position.ts';
import { type Clock, unreferencedClock } from '../clock.ts';
import { serviceIdentity } from '../otlp/service-identity.ts';
import type { BackOffOptions } from '../stream/back-off.ts';
import { bootId } from '../stream/boot-id.ts';
import { serviceNames } from '../stream/end-names.ts';
import { HeldSeries } from '../stream/held-series.ts';
import { StreamConnection } from '../stream/stream-connection.ts';
import type { StreamContent } from '../stream/stream-content.ts';
import { StreamCounters, type StreamStatus } from '../stream/stream-status.ts';
import { Deliveries } from './deliveries.ts';
import { ExporterLog } from './exporter-log.ts';
import { ServiceCall } from './service-call.ts';
import { ServiceChannel, type ServiceChannelOptions } from './service-channel.ts';
import { ServiceReports, serviceCapabilities } from './service-reports.ts';
import { ServiceState } from './service-state.ts';

export interface StreamMetricExporterOptions extends ServiceChannelOptions {
  /**
   * What the service is known by, 1 to 256 bytes of UTF-8. Default: what its resource's `service.instance.id` says, as for OTLP; without one,
   * a random one for this exporter.
   */
  readonly memberId?: string | undefined;
  /** How long `forceFlush` and `shutdown` wait for the collector, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number | undefined;
  /** Series that are held; those beyond are not taken, and that is logged. Default 100,000. */
  readonly maxSeries?: number | undefined;
  /** How long to wait for a connection and the collector's Welcome, in milliseconds. Default 10,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** Between attempts to connect. Default: from 1 s up to 30 s, with jitter. */
  readonly backOff?: BackOffOptions | undefined;
  /** Where to log. Default: OpenTelemetry's `diag`. */
  readonly logger?: DiagLogger | undefined;
  readonly clock?: Clock | undefined;
}

/** What the exporter has done: the stream's figures, and what was not taken. */
export interface StreamMetricExporterStatus extends Omit<StreamStatus, 'changedValues'> {
  /** Empty before the first export. */
  readonly memberId: string;
  /** Series whose newest values are held and reported. */
  readonly heldSeries: number;
  /** Points that were not taken into the state, by all exports. */
  readonly notTaken: number;
}

type ResultCallback = Parameters<PushMetricExporter['export']>[1];

/** ExportResultCode of @opentelemetry/core. */
const success = 0;
const failed = 1;

/** Acks are waited for by `forceFlush` only, but then they should come. */
const ackDelayMs = 250;
const ackOverdueMs = 30_000;

/**
 * A metric exporter for the OpenTelemetry SDK that holds a stream to a streamgauge collector, in the place of `OTLPMetricExporter`. It reports
 * state: an export puts the newest values in place and succeeds with that, whether or not there is a collector; what an outage costs is
 * resolution, never counts. There is no queue; memory is that of the series. Nothing that it does throws, blocks or keeps the process alive.
 *
 * `forceFlush` and `shutdown` resolve when the collector has acknowledged all that was exported before, and else reject with what was not delivered.
 * One exporter serves one MeterProvider.
 */
export class StreamMetricExporter implements PushMetricExporter {
  readonly #options: StreamMetricExporterOptions;
  readonly #channel: ServiceChannel;
  readonly #clock: Clock;
  readonly #log: ExporterLog;
  readonly #incarnation = randomBytes(16);
  readonly #counters = new StreamCounters();
  readonly #held = new HeldSeries();
  readonly #state: ServiceState;
  readonly #deliveries: Deliveries;
  readonly #timeoutMs: number;
  #reports: ServiceReports | undefined;
  #position: Position | undefined;
  #connection: StreamConnection | undefined;
  #memberId = '';
  #shutdown: Promise<void> | undefined;

  /** @throws StreamgaugeError `config` naming the option, what was found and what is allowed */
  constructor(options: StreamMetricExporterOptions = {}) {
    const { memberId, timeoutMs = 10_000, maxSeries = 100_000, clock = unreferencedClock } = options;
    this.#options = options;
    this.#channel = new ServiceChannel(options);
    this.#clock = clock;
    if (memberId !== undefined) checkMemberId(memberId);
    checkWhole('timeoutMs', timeoutMs, 1, 3_600_000);
    checkWhole('maxSeries', maxSeries, 1, 1_000_000);
    checkWhole('connectTimeoutMs', options.connectTimeoutMs ?? 10_000, 1, 3_600_000);
    this.#timeoutMs = timeoutMs;
    this.#log = new ExporterLog(options.logger ?? diag, clock);
    this.#deliveries = new Deliveries(this.#channel.shown);
    this.#state = new ServiceState({
      incarnation: this.#incarnation.toString('hex'),
      clock,
      maxSeries,
      onNotTaken: (why, points, metric, detail) => this.#log.notTaken(why, points, metric, detail),
    });
  }

  selectAggregationTemporality(): AggregationTemporality {
    return AggregationTemporality.CUMULATIVE;
  }

  /** Succeeds when the values are in the state. Fails after `shutdown`, and for metrics that are no state, those of delta temporality. */
  export(metrics: ResourceMetrics, resultCallback: ResultCallback): void {
    if (this.#shutdown !== undefined) {
      resultCallback({ code: failed, error: new Error('StreamMetricExporter: it has been shut down') });
      return;
    }
    let error: Error | undefined;
    try {
      this.#state.take(metrics);
    } catch (thrown) {
      error = StreamgaugeError.from(thrown);
    }
    try {
      this.#connect().report();
    } catch (thrown) {
      error ??= StreamgaugeError.from(thrown);
    }
    resultCallback(error === undefined ? { code: success } : { code: failed, error });
  }

  /** Resolves when all that was exported before is acknowledged. Rejects with what is not, and why, after the timeout at the latest. */
  async forceFlush(): Promise<void> {
    const connection = this.#connection;
    if (connection === undefined || this.#shutdown !== undefined) return this.#shutdown;
    const { collections } = this.#state;
    const delivered = this.#deliveries.wait(collections, this.#timeoutMs, () => this.#fate());
    connection.report();
    return delivered;
  }

  /** Reports the state a last time, says goodbye and ends the stream. Resolves and rejects as `forceFlush`. Called again it gives the same promise. */
  shutdown(): Promise<void> {
    this.#shutdown ??= this.#end();
    return this.#shutdown;
  }

  status(): StreamMetricExporterStatus {
    const { shown } = this.#channel;
    const { changedValues: _, ...figures } =
      this.#connection?.status() ?? this.#counters.status(shown, undefined);
    return {
      ...figures,
      memberId: this.#memberId,
      heldSeries: this.#state.size,
      notTaken: this.#log.pointsNotTaken,
    };
  }

  async #end(): Promise<void> {
    const connection = this.#connection;
    if (connection === undefined) return;
    // Nothing else keeps the process alive.
    const awake = setTimeout(() => {}, this.#timeoutMs + 1000);
    const { delivered, reason } = await connection.drain(this.#timeoutMs);
    clearTimeout(awake);
    this.#deliveries.end();
    const left = this.#reports?.leftOut ?? 0;
    if (delivered && left === 0) return;
    throw new StreamgaugeError(
      'unavailable',
      `StreamMetricExporter: ${this.#undelivered(delivered ? left : this.#state.size)} to ${this.#channel.shown}: ${reason || this.#log.lastRefusal}`,
    );
  }

  /** Why what is waited for is not acknowledged. */
  #fate(): { readonly what: string; readonly why: string; readonly isWhole: boolean } {
    const { connected, lastError } = this.#connection!.status();
    const left = connected ? (this.#reports?.leftOut ?? 0) : this.#state.size;
    return {
      what: this.#undelivered(left === 0 ? this.#state.size : left),
      why: connected ? this.#log.lastRefusal : lastError || 'there is no connection yet',
      isWhole: connected && left === 0,
    };
  }

  #undelivered(series: number): string {
    return `the newest values of ${series} series were not delivered`;
  }

  /** The first export tells the resource, and so who this is. */
  #connect(): StreamConnection {
    if (this.#connection !== undefined) return this.#connection;
    const { resource } = this.#state;
    if (resource === undefined) throw new StreamgaugeError('bug', 'StreamMetricExporter: no resource');
    const { memberId, backOff, connectTimeoutMs } = this.#options;
    const { id, from } = serviceIdentity(resource);
    this.#memberId = memberId ?? (from === 'instance' ? id : randomUUID());
    this.#connection = new StreamConnection({
      identity: {
        memberId: this.#memberId,
        incarnation: this.#incarnation,
        bootId: bootIdOrNone(),
        resource,
        userAgent: 'streamgauge-otel-js',
      },
      openCall: (events) => new ServiceCall(this.#channel, 'streamgauge-otel-js', events),
      endpoint: this.#channel.shown,
      names: serviceNames,
      content: this.#content(),
      counters: this.#counters,
      capabilities: serviceCapabilities,
      ackOverdueMs,
      clock: this.#clock,
      log: this.#log,
      backOff,
      welcomeTimeoutMs: connectTimeoutMs,
    });
    this.#connection.start();
    return this.#connection;
  }

  #content() {
    const exporter = this;
    return {
      get position() {
        return exporter.#position;
      },
      ackDelayMs,
      begin: (welcome, welcomeMs, writer) => {
        exporter.#deliveries.welcomed(welcome.lastReport);
        const reports = new ServiceReports({
          ...writer,
          state: exporter.#state,
          held: exporter.#held,
          counters: exporter.#counters,
          clock: exporter.#clock,
          welcome,
          welcomeMs,
          onCut: (report, collection) => exporter.#deliveries.cut(report, collection),
          onRefused: (what, refuse, series) => {
            exporter.#log.refused(what, refuse, series);
            if (refuse !== undefined && refuse.report > 0)
              exporter.#deliveries.refused(refuse.report, `${what}: ${refuse.reason}`);
          },
        });
        exporter.#reports = reports;
        return reports;
      },
      acknowledged: (report, position) => {
        if (position !== undefined) exporter.#position = position;
        exporter.#deliveries.acknowledged(report);
      },
    } satisfies StreamContent;
  }
}

/** Without a boot id a collector cannot tell a restart from a copy as early; all else works the same. */
function bootIdOrNone(): string {
  try {
    return bootId();
  } catch {
    return '';
  }
}

function checkMemberId(memberId: string): void {
  const length = Buffer.byteLength(memberId);
  if (length === 0 || length > maxMemberIdBytes)
    throw new StreamgaugeError(
      'config',
      `StreamMetricExporter: memberId has ${length} bytes; 1 to ${maxMemberIdBytes} are allowed`,
    );
}

function checkWhole(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max)
    throw new StreamgaugeError(
      'config',
      `StreamMetricExporter: ${name} is ${value}; whole numbers from ${min} to ${max} are allowed`,
    );
}
