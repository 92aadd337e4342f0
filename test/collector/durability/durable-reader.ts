import type { KeptReader } from '../../../collector/durability/kept-intervals.ts';
import type { Recorder } from '../../../collector/durability/recorder.ts';
import type { Outputs } from '../../../collector/outputs/outputs.ts';
import type { ReaderCursor } from '../../../collector/outputs/reader-cursor.ts';
import type { Clock } from '../../../otel/clock.ts';
import { DeltaIntervals } from '../../../otel/export/delta-intervals.ts';
import type { IntervalJournal } from '../../../otel/export/interval-journal.ts';
import { OutputLedger } from '../../../otel/export/output-ledger.ts';
import { otlpEncode } from '../../../otel/export/periodic-reader-options.ts';
import { defaultQueue } from '../../../otel/export/queue-limits.ts';
import { ReaderLog } from '../../../otel/export/reader-log.ts';
import { ReaderRecord } from '../../../otel/export/reader-status.ts';
import type { Temporality } from '../../../otel/model/metric.ts';

/** So small that an interval has several requests. */
const requests = { format: 'otlp', maxBytes: 2048 } as const;

/** A reader of a durable side. A delta reader's intervals are read one step in a turn of the event loop. */
export class DurableReader {
  readonly name: string;
  readonly temporality: Temporality;
  readonly intervals: DeltaIntervals | undefined;
  readonly ledger = new OutputLedger();
  #bound: { outputs: Outputs; cursor: ReaderCursor } | undefined;
  #journal: IntervalJournal | undefined;
  #committed: (() => Promise<void>) | undefined;

  constructor(name: string, temporality: Temporality, clock: Clock) {
    this.name = name;
    this.temporality = temporality;
    if (temporality === 'cumulative') return;
    this.intervals = new DeltaIntervals({
      name,
      collect: (timeUs) => this.#bound!.outputs.collect(this.#bound!.cursor, timeUs),
      encode: otlpEncode(),
      maxRequestBytes: requests.maxBytes,
      limits: defaultQueue.delta,
      clock,
      books: {
        record: new ReaderRecord({}),
        log: new ReaderLog({ debug() {}, info() {}, warn() {}, error() {} }, name),
        ledger: this.ledger,
      },
      journal: {
        began() {},
        steps: (count) => this.#journal?.steps(count),
        answered: (count) => this.#journal?.answered(count),
      },
      committed: () => this.#committed!(),
      turnMs: 0,
    });
  }

  /** For what replay makes again. */
  get kept(): KeptReader | undefined {
    const { name, intervals } = this;
    if (intervals === undefined) return undefined;
    return { name, intervals, bind: (outputs, cursor) => this.bind(outputs, cursor) };
  }

  bind(outputs: Outputs, cursor: ReaderCursor): void {
    this.#bound = { outputs, cursor };
  }

  /** Replay is over: it goes on. @param isAfresh it begins anew while the collector runs */
  bindLive(outputs: Outputs, recorder: Recorder, committed: () => Promise<void>, isAfresh = false): void {
    const { name, temporality } = this;
    const kept = temporality === 'delta' ? requests : undefined;
    const cursor = outputs.addReader(temporality, name, kept, isAfresh);
    this.bind(outputs, cursor);
    this.#committed = committed;
    this.#journal = {
      began() {},
      steps: (count) => recorder.steps(cursor, count),
      answered: (count) => recorder.answered(cursor, count),
    };
  }

  /** It is no more, and what waits is lost. Nothing is read at the moment. */
  remove(): void {
    this.intervals?.abandon();
    this.outputs.removeReader(this.cursor);
  }

  get cursor(): ReaderCursor {
    return this.#bound!.cursor;
  }

  get outputs(): Outputs {
    return this.#bound!.outputs;
  }
}
