import type { Session } from '../../collector/sessions/session.ts';
import type { SessionPeer } from '../../collector/sessions/session-host.ts';
import { attributesToWire } from '../../otel/model/any-value.ts';
import type { Attributes } from '../../otel/model/attributes.ts';
import { metricToDefinition } from '../../otel/model/definitions.ts';
import { encodeAgentMessage } from '../../proto/messages/agent-message.ts';
import { type CollectorMessage, decodeCollectorMessage } from '../../proto/messages/collector-message.ts';
import type { Define } from '../../proto/messages/define.ts';
import type { Position } from '../../proto/messages/position.ts';
import { StreamColumns } from '../../proto/report/stream-columns.ts';
import { encodeReport, type GroupState } from '../../proto/report/write-report.ts';
import { type CatalogueSeries, relayedBy } from './catalogue.ts';

/** A value of a series: a number, or a histogram's bucket counts and then its sum. */
export type Value = number | readonly number[];

/** A series with its epoch: when that began, relative to Welcome, and its start time by the source's clock. */
export interface SeriesToDefine {
  readonly of: CatalogueSeries;
  readonly epoch: string;
  readonly beganUs: number | undefined;
  readonly startTimeUs: number;
}

/** With lists that can be added to. */
type Filled<T> = { [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };

/** The agent's end of one stream, without a network: it codes messages as an agent does and hands them to a session. */
export class FakeStream {
  readonly columns = new StreamColumns();
  readonly received: CollectorMessage[] = [];
  ended: { cause: string; message: string } | undefined;
  readonly session: Session;
  /** Metrics and epochs that the stream has been told of, under their numbers. */
  readonly #told = new Map<unknown, number>();
  #memberId = '';

  constructor(open: (peer: SessionPeer) => Session) {
    this.session = open({
      address: '127.0.0.1:1',
      send: (bytes) => void this.received.push(decodeCollectorMessage(bytes)),
      end: (cause, message) => {
        this.ended = { cause, message };
      },
    });
  }

  hello(
    memberId: string,
    incarnation: number,
    resource: Attributes,
    bootId = 'boot',
    lastAck?: Position,
  ): void {
    this.#memberId = memberId;
    this.session.receive(
      encodeAgentMessage({
        type: 'hello',
        protocolVersion: 1,
        memberId,
        incarnation: Buffer.alloc(16, incarnation),
        bootId,
        resource: attributesToWire(resource),
        resourceSchemaUrl: '',
        capabilities: ['exponential_histogram', 'summary'],
        clockUs: 0,
        lastAck,
        userAgent: 'fake',
        ackDelayMs: 0,
      }),
    );
  }

  /** Defines one series and gives its number. */
  define(of: CatalogueSeries, epoch: string, beganUs: number | undefined, startTimeUs: number): number {
    return this.defineAll([{ of, epoch, beganUs, startTimeUs }])[0];
  }

  /** Defines series in one message, and gives their numbers. */
  defineAll(list: readonly SeriesToDefine[]): readonly number[] {
    const message = {
      type: 'define',
      resources: [],
      scopes: [],
      metrics: [],
      epochs: [],
      series: [],
    } as Define;
    const { resources, metrics, epochs, series } = message as Filled<Define>;
    const first = this.columns.lastNumber + 1;
    for (const [i, { of, epoch, beganUs, startTimeUs }] of list.entries()) {
      const [metric, isNewMetric] = this.#numberOf(of.metric);
      const [token, isNewToken] = epoch === '' ? [0, false] : this.#numberOf(`${epoch} ${beganUs}`);
      const [resource, isNewResource] = of.isForeign ? this.#numberOf(relayedBy) : [0, false];
      if (isNewResource)
        resources.push({
          number: resource,
          attributes: attributesToWire(relayedBy(this.#memberId)),
          schemaUrl: '',
        });
      if (isNewMetric) metrics.push(metricToDefinition(of.metric, metric, 0));
      if (isNewToken) epochs.push({ number: token, token: Buffer.from(epoch), beganUs });
      const attributes = attributesToWire(of.attributes);
      series.push({
        number: first + i,
        resource,
        metric,
        attributes,
        group: of.group,
        epoch: token,
        startTimeUs,
      });
    }
    this.session.receive(encodeAgentMessage(message));
    for (const [i, { of }] of list.entries()) {
      const { kind, explicitBounds, hasSum, hasMin, hasMax } = of.metric;
      const buckets = explicitBounds.length + 1;
      const quantiles = of.metric.quantiles.length;
      this.columns.define({
        number: first + i,
        group: of.group,
        kind,
        buckets,
        quantiles,
        hasSum,
        hasMin,
        hasMax,
      });
    }
    return list.map((_, i) => first + i);
  }

  /** Reports one group: each of its numbers with a value, or `undefined` for no recorded value. Gives false when the group has no series. */
  report(
    group: number,
    timeUs: number,
    values: ReadonlyMap<number, Value | undefined>,
    report: number,
  ): boolean {
    const columns = this.columns.groups.get(group);
    if (columns === undefined || columns.places === 0) return false;
    const { sums, gauges, histograms } = columns;
    const { bucketCounts } = histograms;
    const one = (number: number, held: number) => (values.get(number) as number | undefined) ?? held;
    const many = (number: number, at: number, held: number) =>
      (values.get(number) as number[] | undefined)?.[at] ?? held;
    const state = {
      group,
      timeUs,
      sums: Float64Array.from({ length: sums.size }, (_, i) => one(sums.numbers[i], sums.values[i])),
      gauges: Float64Array.from({ length: gauges.size }, (_, i) => one(gauges.numbers[i], gauges.values[i])),
      histogramBucketCounts: Float64Array.from({ length: bucketCounts.size }, (_, i) =>
        many(bucketCounts.numbers[i], i - bucketCounts.offsets![i], bucketCounts.values[i]),
      ),
      histogramSums: Float64Array.from({ length: histograms.sums.size }, (_, i) =>
        many(histograms.sums.numbers[i], 3, histograms.sums.values[i]),
      ),
      noRecordedValue: Array.from({ length: columns.places }, (_, place) => place).filter((place) => {
        const number = columns.numberAt(place);
        return values.has(number) && values.get(number) === undefined;
      }),
    };
    this.send([state], report);
    return true;
  }

  /** Reports groups by what their columns hold. */
  send(groups: readonly GroupState[], report: number): void {
    const bytes = encodeReport(this.columns, groups, report);
    this.session.receive(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }

  retire(number: number, reason: 'gone' | 'idle'): void {
    this.session.receive(encodeAgentMessage({ type: 'retire', series: [number], reason }));
    this.columns.retire([number]);
  }

  goodbye(lastReport: number): void {
    this.session.receive(encodeAgentMessage({ type: 'goodbye', lastReport }));
  }

  /** The number of a metric, epoch or resource, and whether the stream is yet to be told. */
  #numberOf(what: unknown): [number: number, isNew: boolean] {
    const known = this.#told.get(what);
    if (known !== undefined) return [known, false];
    this.#told.set(what, this.#told.size + 1);
    return [this.#told.size, true];
  }

  /** How many messages of a type came. */
  count(type: CollectorMessage['type']): number {
    return this.received.filter((message) => message.type === type).length;
  }
}
