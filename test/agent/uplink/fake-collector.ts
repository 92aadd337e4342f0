import {
  type Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import type { MethodDefinition } from '@grpc/proto-loader';
import { loadProto } from '../../../proto/load.ts';
import { decodeReport, isReport } from '../../../proto/report/read-report.ts';
import { StreamColumns } from '../../../proto/report/stream-columns.ts';
import { telemetryStreamService } from '../../../proto/service.ts';
import { until } from '../until.ts';

// The oracle for everything but the columns is proto-loader on our .proto, not the codecs that the agent uses.
const { Connect } = loadProto('streamgauge/v1/telemetry_stream.proto')[
  'streamgauge.v1.TelemetryStream'
] as unknown as { Connect: MethodDefinition<object, object> };

// biome-ignore lint/suspicious/noExplicitAny: messages as proto-loader makes them
export type Loaded = any;

/** A series as the stream defined it, with what its last report held. */
export interface SeenSeries {
  readonly number: number;
  readonly metric: string;
  readonly isMonotonic: boolean;
  readonly attributes: Record<string, string>;
  readonly scope: string;
  readonly resource: Record<string, string> | undefined;
  readonly group: number;
  /** The token; empty: none. */
  readonly epoch: string;
  readonly beganUs: number | undefined;
  value: number | undefined;
  retired: 'gone' | 'idle' | undefined;
}

export interface SeenReport {
  readonly number: number;
  readonly bytes: number;
  /** By group: when it was sampled. */
  readonly timesUs: Map<number, number>;
  /** By series number: the values of all series of the groups in the report. */
  readonly values: Map<number, number>;
}

/** One stream as the collector saw it. */
export class SeenStream {
  readonly call: ServerDuplexStream<Buffer, Buffer>;
  readonly columns = new StreamColumns();
  /** The kinds of all messages, in order. */
  readonly order: string[] = [];
  hello: Loaded;
  readonly defines: Loaded[] = [];
  readonly retires: Loaded[] = [];
  readonly answers: Loaded[] = [];
  readonly reports: SeenReport[] = [];
  readonly series = new Map<number, SeenSeries>();
  goodbye: Loaded;
  /** The agent has half-closed. */
  halfClosed = false;
  cancelled = false;
  readonly #metrics = new Map<number, Loaded>();
  readonly #scopes = new Map<number, Loaded>();
  readonly #resources = new Map<number, Loaded>();
  readonly #epochs = new Map<number, Loaded>();

  constructor(call: ServerDuplexStream<Buffer, Buffer>) {
    this.call = call;
  }

  get last(): SeenReport {
    return this.reports.at(-1)!;
  }

  /** The series of a metric that is reported at present. */
  live(metric: string): SeenSeries {
    const found = [...this.series.values()].filter((s) => s.metric === metric && s.retired === undefined);
    if (found.length !== 1) throw new Error(`${metric} has ${found.length} live series`);
    return found[0]!;
  }

  send(message: Loaded): void {
    this.call.write(Connect.responseSerialize(message));
  }

  fail(code: status, details: string): void {
    this.call.emit('error', { code, details } satisfies Partial<ServiceError>);
  }

  take(bytes: Buffer): string {
    const message = Connect.requestDeserialize(bytes) as Loaded;
    const kind: string = message.message ?? (message.groups.length > 0 ? 'report' : 'nothing');
    this.order.push(kind);
    switch (kind) {
      case 'hello':
        this.hello = message.hello;
        break;
      case 'define':
        this.#define(message.define);
        break;
      case 'retire':
        this.retires.push(message.retire);
        this.columns.retire(message.retire.series);
        for (const number of message.retire.series)
          this.series.get(number)!.retired = message.retire.reason === 1 ? 'gone' : 'idle';
        break;
      case 'report':
        if (!isReport(bytes)) throw new Error('a report does not begin as one');
        this.#report(bytes);
        break;
      case 'answer':
        this.answers.push(message.answer);
        break;
      case 'goodbye':
        this.goodbye = message.goodbye;
    }
    return kind;
  }

  #define(define: Loaded): void {
    this.defines.push(define);
    for (const of of define.resources) this.#resources.set(of.number, of);
    for (const of of define.scopes) this.#scopes.set(of.number, of);
    for (const of of define.metrics) this.#metrics.set(of.number, of);
    for (const of of define.epochs) this.#epochs.set(of.number, of);
    let previous = 0;
    for (const of of define.series) {
      const number = of.number || previous + 1;
      previous = number;
      const metric = this.#metrics.get(of.metric);
      const epoch = this.#epochs.get(of.epoch);
      this.columns.define({ number, group: of.group, kind: metric.kind === 1 ? 'sum' : 'gauge' });
      this.series.set(number, {
        number,
        metric: metric.name,
        isMonotonic: metric.isMonotonic,
        attributes: textOf(of.attributes),
        scope: metric.scope === 0 ? '' : this.#scopes.get(metric.scope).name,
        resource: of.resource === 0 ? undefined : textOf(this.#resources.get(of.resource).attributes),
        group: of.group,
        epoch: epoch === undefined ? '' : epoch.token.toString(),
        beganUs: epoch?.beganUs === undefined ? undefined : Number(epoch.beganUs),
        value: undefined,
        retired: undefined,
      });
    }
  }

  #report(bytes: Buffer): void {
    const report = decodeReport(bytes, this.columns);
    const timesUs = new Map<number, number>();
    const values = new Map<number, number>();
    for (const group of report.groups.slice(0, report.groupCount)) {
      timesUs.set(group.group, group.timeUs);
      for (const column of [group.sums, group.gauges])
        for (let i = 0; i < column.size; i++) values.set(column.numbers[i], column.values[i]);
    }
    for (const [number, value] of values) this.series.get(number)!.value = value;
    this.reports.push({ number: report.number, bytes: bytes.length, timesUs, values });
  }
}

function textOf(list: Loaded[]): Record<string, string> {
  return Object.fromEntries(list.map(({ key, value }) => [key, value.stringValue]));
}

export interface FakeCollectorOptions {
  /** What Welcome says beside the defaults; a function is asked for each stream; `false`: there is no Welcome. */
  welcome?: Loaded | ((stream: SeenStream) => Loaded | false) | false;
  /** Whether reports, and Goodbye, are acknowledged. Default: they are. */
  acknowledge?: boolean;
  /** Whether the stream is ended after Goodbye. Default: it is. */
  endAfterGoodbye?: boolean;
  /** Looks at a stream before Hello is read; a status ends it. */
  admit?: () => { code: status; details: string } | undefined;
  /** 0: any. */
  port?: number;
}

/** A collector that keeps what it gets and does what a test tells it. */
export class FakeCollector implements AsyncDisposable {
  readonly streams: SeenStream[] = [];
  readonly options: FakeCollectorOptions;
  /** What went wrong in the collector itself; a test checks that it stays empty. */
  readonly problems: unknown[] = [];
  readonly #server: Server;
  port = 0;

  private constructor(options: FakeCollectorOptions) {
    this.options = options;
    this.#server = new Server({ 'grpc.max_receive_message_length': 8 * 1024 * 1024 });
    this.#server.addService(telemetryStreamService, {
      Connect: (call: ServerDuplexStream<Buffer, Buffer>) => this.#connected(call),
    });
  }

  static async start(options: FakeCollectorOptions = {}): Promise<FakeCollector> {
    const collector = new FakeCollector(options);
    collector.port = await new Promise<number>((resolve, reject) => {
      collector.#server.bindAsync(
        `127.0.0.1:${options.port ?? 0}`,
        ServerCredentials.createInsecure(),
        (error, port) => (error === null ? resolve(port) : reject(error)),
      );
    });
    return collector;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** The n-th stream, the first being 0, once Hello has come on it. */
  async stream(n = 0): Promise<SeenStream> {
    await until(`stream ${n} said Hello`, () => this.streams[n]?.hello !== undefined);
    return this.streams[n]!;
  }

  /** The n-th stream once it has had so many reports. */
  async reported(n: number, reports: number): Promise<SeenStream> {
    const stream = await this.stream(n);
    await until(`stream ${n} has ${reports} reports`, () => stream.reports.length >= reports);
    return stream;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.forceShutdown();
  }

  #connected(call: ServerDuplexStream<Buffer, Buffer>): void {
    const refused = this.options.admit?.();
    call.on('error', () => {});
    if (refused !== undefined) {
      call.emit('error', refused as Partial<ServiceError> & { metadata?: Metadata });
      return;
    }
    const stream = new SeenStream(call);
    this.streams.push(stream);
    call.on('cancelled', () => {
      stream.cancelled = true;
    });
    call.on('data', (bytes: Buffer) => {
      try {
        this.#answer(stream, stream.take(bytes));
      } catch (error) {
        this.problems.push(error);
        stream.fail(status.INTERNAL, String(error));
      }
    });
    call.on('end', () => {
      stream.halfClosed = true;
      call.end();
    });
  }

  #answer(stream: SeenStream, kind: string): void {
    const { welcome = {}, acknowledge = true, endAfterGoodbye = true } = this.options;
    if (kind === 'hello') {
      const own = typeof welcome === 'function' ? welcome(stream) : welcome;
      if (own === false) return;
      stream.send({
        welcome: { session: `s${this.streams.length}`, durability: 1, protocolVersion: 1, ...own },
      });
    } else if (kind === 'report') {
      if (acknowledge) stream.send({ ack: { report: String(stream.last.number) } });
    } else if (kind === 'goodbye') {
      if (acknowledge) stream.send({ ack: { report: stream.goodbye.lastReport } });
      if (endAfterGoodbye) stream.call.end();
    }
  }
}
