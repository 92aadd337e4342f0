import { attributes } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import type { Refuse } from '../../../proto/messages/collector-message.ts';
import type { FakeStream } from '../../model/fake-agent.ts';
import type { Trace } from './trace.ts';

export interface RunOptions {
  /** Which run of the agent: another number is another process. */
  readonly run?: number;
  readonly boot?: string;
  /** Where it is; its own id, unless told. */
  readonly host?: string;
}

/** What is measured: the life that a counter is in. */
export interface Life {
  readonly epoch: string;
  /** When it began, in seconds of the trace; `undefined`: nobody knows. */
  readonly began: number | undefined;
  /** The same moment as the source tells it, microseconds; 0: it does not. */
  readonly startUs?: number;
  /** The value of the attribute that tells the series from others; empty: it has none. */
  readonly series?: string;
  /** Which life it is: see Counter. */
  readonly life?: number;
}

interface Defined {
  n: number;
  readonly life: number;
}

/** An agent's clock is an hour and a half ahead of the collector's: nobody compares them. */
export const skewUs = 5_400_000_000;

const filling = metric({ name: 'filling', kind: 'gauge' });

/** One run of an agent on one stream. */
export class Run {
  readonly stream: FakeStream;
  readonly #trace: Trace;
  readonly #welcomed: number;
  readonly #series = new Map<number, Defined>();

  constructor(trace: Trace, id: string, { run = 1, boot = 'boot 1', host = id }: RunOptions) {
    this.#trace = trace;
    this.#welcomed = trace.seconds;
    this.stream = trace.core.stream();
    this.stream.hello(id, run, attributes({ host }), boot);
    trace.look();
  }

  /** Why the collector ended the stream; `undefined` while it is open. */
  get end(): string | undefined {
    return this.stream.ended?.cause;
  }

  get refused(): Refuse[] {
    return this.stream.received.filter((message) => message.type === 'refuse');
  }

  /** Defines the counter, and gives the number of the series. */
  define({ epoch, began, startUs = 0, series = '', life = 0 }: Life): number {
    const { metric } = this.#trace.counter;
    const own = attributes(series === '' ? {} : { series });
    const beganUs = began === undefined ? undefined : (began - this.#welcomed) * 1e6;
    const of = { metric, attributes: own, group: 0, isForeign: false };
    const number = this.stream.define(of, epoch, beganUs, startUs);
    this.#series.set(number, { n: 0, life });
    this.#trace.look();
    return number;
  }

  /** Defines so many series of something else, which are never reported. */
  fill(count: number): void {
    for (let i = 0; i < count; i++) {
      const own = attributes({ i: BigInt(i) });
      this.stream.define({ metric: filling, attributes: own, group: 1, isForeign: false }, '', undefined, 0);
    }
  }

  /** Reports the sampling group, in which these series have counted so much; the others what they had. */
  report(counted: Readonly<Record<number, number>>): void {
    const { core, counter } = this.#trace;
    for (const [number, n] of Object.entries(counted)) this.#series.get(Number(number))!.n = n;
    const state = counter.state([...this.#series.values()]);
    const { stream } = this;
    const report = Math.max(stream.session.lastReport, stream.columns.lastReport) + 1;
    stream.send([{ group: 0, timeUs: core.nowUs + skewUs, ...state }], report);
    this.#trace.look();
  }

  /** The series is retired. */
  retire(number: number, reason: 'gone' | 'idle'): void {
    this.stream.retire(number, reason);
    this.#series.delete(number);
    this.#trace.look();
  }

  goodbye(): void {
    this.stream.goodbye(this.stream.columns.lastReport);
    this.#trace.look();
  }

  /** The connection breaks without a word. */
  cut(): void {
    this.stream.session.closed();
    this.#trace.look();
  }
}
