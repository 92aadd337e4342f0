import { systemClock } from '../../otel/clock.ts';
import { consoleEncode } from '../../otel/export/console-exporter.ts';
import { DeltaIntervals } from '../../otel/export/delta-intervals.ts';
import { intervalsLoader, intervalsSection } from '../../otel/export/delta-intervals-section.ts';
import { OutputLedger } from '../../otel/export/output-ledger.ts';
import { otlpEncode } from '../../otel/export/periodic-reader-options.ts';
import { defaultQueue } from '../../otel/export/queue-limits.ts';
import { ReaderLog } from '../../otel/export/reader-log.ts';
import { ReaderRecord } from '../../otel/export/reader-status.ts';
import type { SnapshotChunk } from '../../otel/snapshot/snapshot-chunk.ts';
import type { SnapshotWriter } from '../../otel/snapshot/snapshot-writer.ts';
import type { JournalLog } from '../journal/journal-log.ts';
import type { Outputs } from '../outputs/outputs.ts';
import type { KeptRequests } from '../outputs/outputs-journal.ts';
import type { ReaderCursor } from '../outputs/reader-cursor.ts';
import type { CheckpointPart } from './checkpoints.ts';
import type { IntervalReplay } from './interval-replay.ts';
import type { RecordedReader } from './recorder.ts';
import type { IntervalRestoring } from './restoring.ts';

/** A delta reader whose intervals are kept. */
export interface KeptReader {
  readonly name: string;
  readonly intervals: DeltaIntervals;
  /** What it collects from, until it is told otherwise. */
  bind(outputs: Outputs, cursor: ReaderCursor): void;
}

/** The intervals of delta readers that their backends have not taken, over restarts. */
export class KeptIntervals implements IntervalRestoring, CheckpointPart {
  readonly loaders: IntervalRestoring['loaders'];
  readonly #readers: Map<string, KeptReader>;
  /** Of readers that are not configured any more: what was journalled of them is done again all the same, since it changed the state. */
  readonly #former = new Map<string, KeptReader>();
  /** Of former readers' requests. */
  readonly #formats = new Map<string, KeptRequests['format']>();
  readonly #log: JournalLog;

  constructor(readers: readonly KeptReader[], log: JournalLog) {
    this.#log = log;
    this.#readers = new Map(readers.map((reader) => [reader.name, reader]));
    this.loaders = new Map([
      [intervalsSection.type, intervalsLoader((name) => this.#reader(name).intervals)],
    ]);
  }

  of(reader: RecordedReader, cursor: ReaderCursor, outputs: Outputs): IntervalReplay | undefined {
    const { name, temporality, requests } = reader;
    if (temporality !== 'delta' || requests === undefined) return undefined;
    const kept = this.#reader(name, requests.format);
    kept.bind(outputs, cursor);
    const { intervals } = kept;
    return {
      replayBegan: (wallUs) => intervals.replayBegan(wallUs, requests.maxBytes),
      replaySteps: (count) => intervals.replaySteps(count),
      replayAnswered: (count) => intervals.replayAnswered(count),
      replayGone: () => intervals.replayGone(),
      finishNow: (told, committed) => intervals.finishNow(told, committed),
    };
  }

  startAgain(): void {
    for (const { intervals } of this.#readers.values()) intervals.replayGone();
    this.#former.clear();
  }

  finishNow(): void {
    for (const { intervals } of this.#readers.values()) intervals.finishOwn();
  }

  /** Everything has been replayed. What former readers had not delivered is nobody's. */
  dropFormer(): void {
    for (const { name, intervals } of this.#former.values()) {
      const { points, collections } = intervals.figures;
      if (collections > 0)
        this.#log.warn(
          { reader: name, points, intervals: collections },
          'a delta reader is not configured any more, and what its backend had not taken is dropped',
        );
      intervals.abandon();
    }
    this.#former.clear();
  }

  /** A delta reader that comes while the collector runs. */
  add(reader: KeptReader): void {
    this.#readers.set(reader.name, reader);
  }

  /** It is no more; another one of its name stays. */
  remove(name: string, intervals: DeltaIntervals | undefined): void {
    if (this.#readers.get(name)?.intervals === intervals) this.#readers.delete(name);
  }

  isReady(): boolean {
    return this.#making === undefined;
  }

  async ready(): Promise<void> {
    await this.#making?.intervals.whenMade();
  }

  picture(): (writer: SnapshotWriter) => Iterable<SnapshotChunk> {
    const pictures = [...this.#readers.values()].map(({ intervals }) => intervals.picture());
    return function* (writer) {
      for (const [ordinal, picture] of pictures.entries()) yield* picture.chunks(writer, ordinal);
    };
  }

  get #making(): KeptReader | undefined {
    for (const reader of this.#readers.values()) if (reader.intervals.isMaking) return reader;
    return undefined;
  }

  /** @param format told once it matters: when requests are made */
  #reader(name: string, format?: KeptRequests['format']): KeptReader {
    const found = this.#readers.get(name) ?? this.#former.get(name);
    if (format !== undefined) this.#formats.set(name, format);
    if (found !== undefined) return found;
    const former = formerReader(name, () => this.#formats.get(name) ?? 'otlp');
    this.#former.set(name, former);
    return former;
  }
}

/** Makes the same intervals, and nobody sends them. */
function formerReader(name: string, format: () => KeptRequests['format']): KeptReader {
  const otlp = otlpEncode();
  let bound: { outputs: Outputs; cursor: ReaderCursor } | undefined;
  const intervals: DeltaIntervals = new DeltaIntervals({
    name,
    collect: (timeUs) => bound!.outputs.collect(bound!.cursor, timeUs),
    encode: (...args) => (format() === 'otlp' ? otlp : consoleEncode('json'))(...args),
    maxRequestBytes: 0,
    limits: defaultQueue.delta,
    clock: systemClock,
    books: {
      record: new ReaderRecord({}, () => intervals.figures),
      log: new ReaderLog({ debug() {}, info() {}, warn() {}, error() {} }, name),
      ledger: new OutputLedger(),
    },
  });
  return {
    name,
    intervals,
    bind(outputs, cursor) {
      bound = { outputs, cursor };
    },
  };
}
