import { randomBytes } from 'node:crypto';
import {
  type ChannelCredentials,
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  type StatusObject,
  status,
} from '@grpc/grpc-js';
import { attributesToWire } from '../../otel/model/any-value.ts';
import { type AttributeValue, attributes } from '../../otel/model/attributes.ts';
import { metricToDefinition } from '../../otel/model/definitions.ts';
import { type MetricDescription, metric } from '../../otel/model/metric.ts';
import { encodeAgentMessage } from '../../proto/messages/agent-message.ts';
import { decodeCollectorMessage, type Refuse, type Welcome } from '../../proto/messages/collector-message.ts';
import type { Define } from '../../proto/messages/define.ts';
import { StreamColumns } from '../../proto/report/stream-columns.ts';
import { encodeReport, type GroupState } from '../../proto/report/write-report.ts';
import { connectPath, sameBytes } from '../../proto/service.ts';

/** One series of a synthetic agent. */
export interface SyntheticSeries {
  readonly metric: MetricDescription;
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  readonly group?: number;
  readonly epoch?: string;
  /** When the epoch began, relative to the arrival of Welcome, microseconds. */
  readonly beganUs?: number | undefined;
  readonly startTimeUs?: number;
}

export interface SyntheticAgentOptions {
  readonly memberId: string;
  readonly incarnation?: Uint8Array;
  readonly bootId?: string;
  readonly resource?: Readonly<Record<string, AttributeValue>>;
  /** The last report of this incarnation on an earlier stream. */
  readonly lastReport?: number;
  /** How long the collector may wait with an Ack; default 0. */
  readonly ackDelayMs?: number;
  /** Default: none. */
  readonly credentials?: ChannelCredentials;
  /** Sent with the call. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A monotonic sum of whole numbers. */
export function counter(name: string, unit = '{thing}'): MetricDescription {
  return metric({ name, unit, kind: 'sum', isMonotonic: true, valueType: 'int' });
}

/**
 * The agent's end of one stream, message by message, for tests and benchmarks: it does what it is told and nothing by itself. Built on the
 * codecs, not on the agent, so that it can also do what an agent would not.
 */
export class SyntheticAgent {
  readonly memberId: string;
  readonly columns = new StreamColumns();
  readonly refusals: Refuse[] = [];
  acknowledged = 0;
  lastReport: number;
  ended: StatusObject | undefined;
  drained = false;
  readonly #options: SyntheticAgentOptions;
  readonly #waiting = new Set<() => void>();
  #client: Client | undefined;
  #call: ClientDuplexStream<Buffer, Buffer> | undefined;
  #definitions = 0;

  constructor(options: SyntheticAgentOptions) {
    this.#options = options;
    this.memberId = options.memberId;
    this.lastReport = options.lastReport ?? 0;
  }

  /** Opens the stream and says hello. Rejects with the status when the collector turns it away. */
  async connect(target: string, channelOptions: Record<string, number> = {}): Promise<Welcome> {
    this.open(target, channelOptions);
    this.hello();
    let welcome: Welcome | undefined;
    this.#call!.on('data', (bytes: Buffer) => {
      const message = decodeCollectorMessage(bytes);
      if (message.type === 'welcome') welcome = message;
      else if (message.type === 'ack') this.acknowledged = message.report;
      else if (message.type === 'refuse') this.refusals.push(message);
      else if (message.instruction?.type === 'drain') this.drained = true;
      this.#changed();
    });
    await this.until(() => welcome !== undefined || this.ended !== undefined, 'welcome');
    if (welcome === undefined) throw new Error(`${this.ended!.code} ${this.ended!.details}`);
    return welcome;
  }

  /** Opens the stream and says nothing. */
  open(target: string, channelOptions: Record<string, number> = {}): void {
    const { credentials: given = credentials.createInsecure(), metadata = {} } = this.#options;
    this.#client = new Client(target, given, {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_retries': 0,
      ...channelOptions,
    });
    const fields = new Metadata();
    for (const [name, value] of Object.entries(metadata)) fields.set(name, value);
    this.#call = this.#client.makeBidiStreamRequest(connectPath, sameBytes, sameBytes, fields);
    this.#call.on('status', (ended: StatusObject) => {
      this.ended = ended;
      this.#changed();
    });
    this.#call.on('error', () => {});
  }

  hello(): void {
    const { incarnation = randomBytes(16), bootId = 'boot', resource = {} } = this.#options;
    this.write(
      encodeAgentMessage({
        type: 'hello',
        protocolVersion: 1,
        memberId: this.memberId,
        incarnation,
        bootId,
        resource: attributesToWire(attributes(resource)),
        resourceSchemaUrl: '',
        capabilities: [],
        clockUs: Date.now() * 1000,
        lastAck: undefined,
        userAgent: 'synthetic',
        ackDelayMs: this.#options.ackDelayMs ?? 0,
      }),
    );
  }

  /** Defines series in this order and gives their numbers. */
  define(list: readonly SyntheticSeries[]): number[] {
    const message = this.definitionOf(list);
    this.write(encodeAgentMessage(message));
    for (const [i, { metric: m, group = 0 }] of list.entries())
      this.columns.define({
        number: message.series[i].number,
        group,
        kind: m.kind,
        buckets: m.explicitBounds.length + 1,
        quantiles: m.quantiles.length,
        hasSum: m.hasSum,
        hasMin: m.hasMin,
        hasMax: m.hasMax,
      });
    return message.series.map(({ number }) => number);
  }

  /** What {@link define} sends. Metrics, epochs and series get fresh numbers. */
  definitionOf(list: readonly SyntheticSeries[]): Define {
    const metrics = [...new Set(list.map((series) => series.metric))];
    const tokens = [...new Set(list.flatMap(({ epoch }) => (epoch === undefined ? [] : [epoch])))];
    const base = this.#definitions;
    this.#definitions += Math.max(metrics.length, tokens.length);
    const first = this.columns.lastNumber + 1;
    return {
      type: 'define',
      resources: [],
      scopes: [],
      metrics: metrics.map((m, i) => metricToDefinition(m, base + i + 1, 0)),
      epochs: tokens.map((token, i) => ({
        number: base + i + 1,
        token: Buffer.from(token),
        beganUs: list.find(({ epoch }) => epoch === token)!.beganUs,
      })),
      series: list.map((series, i) => ({
        number: first + i,
        resource: 0,
        metric: base + metrics.indexOf(series.metric) + 1,
        attributes: attributesToWire(attributes(series.attributes ?? {})),
        group: series.group ?? 0,
        epoch: series.epoch === undefined ? 0 : base + tokens.indexOf(series.epoch) + 1,
        startTimeUs: series.startTimeUs ?? 0,
      })),
    };
  }

  /** Sends a report; gives false when the transport wants us to wait for {@link drain}. */
  report(groups: readonly GroupState[]): boolean {
    this.lastReport++;
    return this.write(encodeReport(this.columns, groups, this.lastReport));
  }

  /** A report of group 0 with these sums, now, acknowledged. */
  async sums(...values: number[]): Promise<void> {
    this.report([{ group: 0, timeUs: Date.now() * 1000, sums: Float64Array.from(values) }]);
    await this.settled();
  }

  retire(numbers: readonly number[], reason: 'gone' | 'idle'): void {
    this.write(encodeAgentMessage({ type: 'retire', series: numbers, reason }));
    this.columns.retire(numbers);
  }

  goodbye(): void {
    this.write(encodeAgentMessage({ type: 'goodbye', lastReport: this.lastReport }));
  }

  write(bytes: Uint8Array): boolean {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return this.#call!.write(buffer);
  }

  async drain(): Promise<void> {
    await new Promise<void>((resolve) => this.#call!.once('drain', resolve));
  }

  halfClose(): void {
    this.#call!.end();
  }

  /** Waits until all reports are acknowledged. */
  async settled(): Promise<void> {
    await this.until(() => this.acknowledged === this.lastReport, `the ack of report ${this.lastReport}`);
  }

  /** Waits for a condition that the collector's messages bring about. */
  async until(condition: () => boolean, what: string, timeoutMs = 30_000): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve, reject) => {
      const check = (): void => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(check);
        reject(
          new Error(
            `${this.memberId} waited ${timeoutMs} ms for ${what}; the stream ended with ${this.ended?.details ?? 'nothing'}`,
          ),
        );
      }, timeoutMs);
      this.#waiting.add(check);
    });
  }

  /** Cuts the connection without a word. */
  cut(): void {
    this.#call?.cancel();
    this.#client?.close();
    this.ended ??= { code: status.CANCELLED, details: 'cut', metadata: undefined as never };
  }

  #changed(): void {
    for (const check of this.#waiting) check();
  }
}
