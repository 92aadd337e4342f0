import type { MetricDescription, Temporality } from '../../otel/model/metric.ts';
import type { SnapshotWriter } from '../../otel/snapshot/snapshot-writer.ts';
import type { SeriesDefinition } from '../../otel/state/definitions.ts';
import type { PointBatch } from '../../otel/state/point-batch.ts';
import type { Collecting, ReaderCursor } from './reader-cursor.ts';
import type { ShownShape } from './shown-shape.ts';
import type { StreamLoading, StreamPicture } from './snapshot/stream-picture.ts';

/** What may be let go of, in seconds of the store's life. */
export interface Sweeping {
  /** Series that ended before are let go of. */
  readonly endedBeforeS: number;
  /** Points that have had no series since before are forgotten. */
  readonly idleBeforeS: number;
  readonly nowS: number;
  /** The same moment, in microseconds by the store's clock. */
  readonly nowUs: number;
}

/**
 * One metric stream that leaves the collector, within its resource and scope: the contract of every output. Adding an aggregation
 * is one file with a class of this shape, and its line in make-output.ts.
 */
export interface OutputStream {
  readonly metric: MetricDescription;
  /** The number of the last snapshot that has it, or came before it; 0: none. Kept by OutputsSnapshot. */
  savedIn: number;
  /** What a journal knows it by, if what is shown of it depends on what was shown before: see NumberedStreams. Absent: it does not. */
  number?: number;
  /** Input series it shows or joins at present. */
  readonly inputs: number;
  /** Points it may have. */
  readonly points: number;
  /** Input series that went into the overflow series of a cardinality limit since the start. */
  readonly overflowed: number;
  /** Whether it has nothing to show and holds nothing that must be kept: it may be forgotten. */
  readonly isSpent: boolean;
  /** Whether series of another metric that leaves under the same name, unit and kind may be taken in. Absent: all. */
  accepts?(input: MetricDescription): boolean;
  /** Takes an input series in. Called once, before its first report. */
  attach(slot: number, definition: SeriesDefinition): void;
  /**
   * Takes an input series in that has counted already, elsewhere: totals and intervals of these delta readers go on from what it holds. Absent: the
   * output is made of what is present, and attach does it.
   */
  attachHeld?(slot: number, definition: SeriesDefinition, deltaReaders: readonly ReaderCursor[]): void;
  /**
   * Called before series come with what they hold: what is shown later is not below what would be shown now, although it is added up in another
   * order. Absent: rounding makes no difference.
   */
  holdTotals?(): void;
  /** The series that go in. Not valid any more when one comes or leaves. */
  slots(): Iterable<number>;
  /** Lets go of these series. What they counted stays in totals. */
  leave(leaves: (slot: number) => boolean, nowS: number): void;
  /** Delta readers go on where they stood in another output that shows the same series as they came, of the same kind. */
  goOnFrom?(before: OutputStream): void;
  /** The delta reader of this index is no more. Absent: nothing is kept for readers. */
  forgetReader?(reader: number): void;
  /** What temporality a reader of this preference gets; `undefined` for gauges. */
  temporality(preferred: Temporality): Temporality | undefined;
  /**
   * Writes points of a collection into the batch, from a place on: see MetricStream.read. Between two calls series may be attached, but
   * nothing is swept.
   */
  read(batch: PointBatch, collecting: Collecting, from: number): number;
  /** Does again what a read did: see OutputsJournal.shown. Gives false where no read can have done so; then nothing has changed. */
  showAs?(shape: ShownShape): boolean;
  /** Lets go of series that ended, and of points that nothing goes into any more. */
  sweep(sweeping: Sweeping): void;
  /** What it is now, for a snapshot. */
  picture(): StreamPicture;
  /**
   * Writes at once what a picture would write later, if that is little; else writes nothing and gives false. For outputs of which each member has many
   * small ones.
   */
  writeNow?(writer: SnapshotWriter): boolean;
  /** Takes over what a picture wrote, when it is new: then it goes on as the one that the picture was of. */
  load(loading: StreamLoading): Generator<void, void>;
}
