import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type {
  MetricReaderConfig,
  OtlpGrpcExporterConfig,
  OtlpHttpExporterConfig,
  PeriodicReaderConfig,
  PrometheusReaderConfig,
} from '../otel/config/metric-readers.ts';
import { consoleEncode, streamSender } from '../otel/export/console-exporter.ts';
import type { IntervalJournal } from '../otel/export/interval-journal.ts';
import { type OtlpSenderOptions, otlpGrpcSender } from '../otel/export/otlp-grpc.ts';
import { otlpHttpSender } from '../otel/export/otlp-http.ts';
import { PeriodicReader } from '../otel/export/periodic-reader.ts';
import type { ExportLog } from '../otel/export/reader-log.ts';
import type { RequestSender } from '../otel/export/request-sender.ts';
import type { Temporality } from '../otel/model/metric.ts';
import { resourceMetricsFromSdk } from '../otel/otlp/from-sdk.ts';
import type { Collection } from '../otel/state/point-batch.ts';
import { StreamgaugeError } from '../proto/error.ts';
import type { CollectorCore } from './collector-core.ts';
import type { Outputs } from './outputs/outputs.ts';
import type { ReaderCursor } from './outputs/reader-cursor.ts';
import type { CollectorTelemetry, TelemetryReader } from './telemetry/collector-telemetry.ts';

/** What readers are made with, before there is a state to collect from. */
export interface ReaderSurroundings {
  readonly telemetry: CollectorTelemetry;
  readonly log: ExportLog;
  readonly version: string;
  /** Resolves when what was read so far may leave. Absent: at once, and what waits ends with the process. */
  readonly committed: (() => Promise<void>) | undefined;
}

/** The aggregated metrics and the collector's own, for one reader: each apart, or both in one. */
export class FullCollection {
  #own: TelemetryReader;
  readonly #temporality: Temporality;
  #bound: { readonly outputs: Outputs; readonly cursor: ReaderCursor } | undefined;

  constructor(telemetry: CollectorTelemetry, temporality: Temporality) {
    this.#own = telemetry.registerReader(temporality);
    this.#temporality = temporality;
  }

  /** The collector's own metrics are of another resource from now on. */
  async renewOwn(telemetry: CollectorTelemetry): Promise<void> {
    const before = this.#own;
    this.#own = telemetry.registerReader(this.#temporality);
    await before.stop();
  }

  /** What it collects from, from now on. */
  bind(outputs: Outputs, cursor: ReaderCursor): void {
    this.#bound = { outputs, cursor };
  }

  /** The aggregated metrics at this time. */
  aggregated(timeUs: number): Collection {
    const { outputs, cursor } = this.#bound!;
    return outputs.collect(cursor, timeUs);
  }

  /** The collector's own, now. */
  async own(): Promise<Collection> {
    return { timeUs: Date.now() * 1000, resources: [resourceMetricsFromSdk(await this.#own.collect())] };
  }

  /** Both. */
  async collect(timeUs: number): Promise<Collection> {
    const own = await this.own();
    const { timeUs: at, resources, hold } = this.aggregated(timeUs);
    return {
      timeUs: at,
      resources: (function* () {
        yield* resources;
        yield* own.resources;
      })(),
      hold,
    };
  }

  delivered(): void {
    const { outputs, cursor } = this.#bound!;
    outputs.delivered(cursor);
  }

  async stop(): Promise<void> {
    await this.#own.stop();
  }
}

/** A push reader of the configuration. It starts once it is bound. */
export interface PushReader {
  config: PeriodicReaderConfig;
  sender: RequestSender;
  /** What its files of certificates hold, as a text that changes with it. */
  files: string;
  readonly reader: PeriodicReader;
  readonly collection: FullCollection;
  /** Where it stands in the outputs, once it is bound. */
  cursor: ReaderCursor | undefined;
  /** What is told of its intervals, once it is bound. */
  journal: IntervalJournal | undefined;
}

/** @throws StreamgaugeError `config` when a certificate file cannot be read */
export function pushReader(config: PeriodicReaderConfig, surroundings: ReaderSurroundings): PushReader {
  const { exporter, name } = config;
  const { temporality } = exporter;
  const { telemetry, log, version, committed } = surroundings;
  const collection = new FullCollection(telemetry, temporality);
  const journal: IntervalJournal = {
    began: (timeUs, maxRequestBytes) => made.journal?.began(timeUs, maxRequestBytes),
    steps: (count) => made.journal?.steps(count),
    answered: (count) => made.journal?.answered(count),
  };
  const files = exporterFiles(config);
  const sends = readerSender(config, version);
  const reader = new PeriodicReader({
    name,
    intervalMs: config.intervalMs,
    firstAfterMs: config.firstAfterMs,
    exportTimeoutMs: config.timeoutMs,
    timeoutMs: exporter.kind === 'console' ? config.timeoutMs : exporter.timeoutMs,
    temporality,
    maxRequestBytes: config.maxRequestBytes,
    queue: config.queue,
    collect: (timeUs) => collection.aggregated(timeUs),
    collectOwn: () => collection.own(),
    committed,
    journal: committed === undefined ? undefined : journal,
    onDelivered: () => collection.delivered(),
    sender: sends,
    log,
    observer: telemetry.exportObserver(name),
    encode: exporter.kind === 'console' ? consoleEncode('json') : undefined,
  });
  const made: PushReader = {
    ...{ config, reader, collection, files },
    sender: sends,
    cursor: undefined,
    journal: undefined,
  };
  return made;
}

/**
 * Gives a reader what it collects from. Another one of its name and temporality that was there goes on.
 * @param isAfresh nobody was, or is forgotten: at a moment when nothing is read
 */
export function bindReader(
  reader: PushReader,
  { state: { outputs }, intervalJournal }: Pick<CollectorCore, 'state' | 'intervalJournal'>,
  isAfresh = false,
): void {
  const { name, maxRequestBytes, exporter } = reader.config;
  const format = exporter.kind === 'console' ? 'console' : 'otlp';
  const requests = { format, maxBytes: maxRequestBytes } as const;
  const cursor = outputs.addReader(exporter.temporality, name, requests, isAfresh);
  reader.collection.bind(outputs, cursor);
  reader.cursor = cursor;
  reader.journal = intervalJournal?.(cursor);
}

export function isPush(config: MetricReaderConfig): config is PeriodicReaderConfig {
  return config.kind === 'periodic';
}

export function isPull(config: MetricReaderConfig): config is PrometheusReaderConfig {
  return config.kind === 'prometheus';
}

/** Where a reader sends or what it serves, for people. */
export function targetOf(config: MetricReaderConfig): string {
  if (config.kind === 'prometheus') return `http://${config.host}:${config.port}/metrics`;
  const { exporter } = config;
  if (exporter.kind === 'console') return 'standard output';
  const url = new URL(exporter.endpoint);
  url.username = '';
  url.password = '';
  url.search = '';
  return url.href;
}

/** What sends a reader's requests. @throws StreamgaugeError `config` when a certificate file cannot be read */
export function readerSender({ exporter, name }: PeriodicReaderConfig, version: string): RequestSender {
  if (exporter.kind === 'console') return streamSender(process.stdout);
  const options = otlpOptions(exporter, name, version);
  return exporter.kind === 'otlp_grpc' ? otlpGrpcSender(options) : otlpHttpSender(options);
}

function otlpOptions(
  exporter: OtlpGrpcExporterConfig | OtlpHttpExporterConfig,
  name: string,
  version: string,
): OtlpSenderOptions {
  const { endpoint, headers, compression, timeoutMs, tls } = exporter;
  const files = { ca: tls.caFile, cert: tls.certFile, key: tls.keyFile };
  const read: { ca?: Buffer; cert?: Buffer; key?: Buffer } = {};
  for (const [part, file] of Object.entries(files))
    if (file !== undefined) read[part as keyof typeof read] = readTlsFile(file, name);
  const userAgent = `streamgauge/${version}`;
  return { endpoint, headers, compression, timeoutMs, tls: read, userAgent };
}

/** What a reader's files of certificates hold, as a text that changes with it. @throws StreamgaugeError `config` when one cannot be read */
export function exporterFiles({ exporter, name }: PeriodicReaderConfig): string {
  if (exporter.kind === 'console') return '';
  const hash = createHash('sha256');
  for (const file of [exporter.tls.caFile, exporter.tls.certFile, exporter.tls.keyFile]) {
    const content = file === undefined ? Buffer.alloc(0) : readTlsFile(file, name);
    hash.update(`${content.length}:`).update(content);
  }
  return hash.digest('base64');
}

function readTlsFile(file: string, reader: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    const { message } = cause as Error;
    throw new StreamgaugeError(
      'config',
      `The TLS file ${file} of the reader ${reader} cannot be read (${message}). Correct the path or the file's permissions.`,
      { cause },
    );
  }
}
