import type { Temporality } from '../../otel/model/metric.ts';
import { ByteWriter } from '../../proto/columns/byte-writer.ts';
import type { Position } from '../../proto/messages/position.ts';
import type { DurableState } from '../journal/durable-state.ts';
import type { Sweeping } from '../outputs/output-stream.ts';
import type { KeptRequests, OutputsJournal } from '../outputs/outputs-journal.ts';
import type { ReaderCursor } from '../outputs/reader-cursor.ts';
import type { ShownShape } from '../outputs/shown-shape.ts';
import type { OtlpFormat } from '../receivers/otlp/otlp-intake.ts';
import type { OtlpJournal } from '../receivers/otlp/otlp-journal.ts';
import type { Grant } from '../security/grant.ts';
import type { SessionJournal } from '../sessions/session-journal.ts';
import { ReaderNumbers } from './reader-numbers.ts';
import { recordTypes } from './record-types.ts';
import { encodeOpening } from './recorded-opening.ts';
import { encodeOtlpHead } from './recorded-otlp.ts';
import { writeShapes } from './recorded-shapes.ts';

/** A reader that stays, as the journal knows it: by its place among those that came since the directory was opened. */
export interface RecordedReader {
  readonly name: string;
  readonly temporality: Temporality;
  /** `undefined`: its intervals are not kept. */
  readonly requests: KeptRequests | undefined;
}

/**
 * Writes what changes the state into the journal, in the order in which it does. Replayed by Replayer over the state of then, it comes to the same
 * state. Inputs may be refused when the disk cannot keep up; what was decided here is always taken.
 */
export class Recorder implements SessionJournal, OutputsJournal, OtlpJournal {
  readonly durability = 'disk';
  /** By number, those that are gone too. */
  readonly readers = new ReaderNumbers<RecordedReader>();
  readonly #state: DurableState;
  readonly #onReturned: (place: Position, nowUs: number) => void;
  readonly #numbers = new Map<ReaderCursor, number>();
  readonly #writer = new ByteWriter(64);
  /** Of the last record; -1: the next one is preceded by the whole time. */
  #lastUs = -1;

  /** @param onReturned see SessionJournal */
  constructor(state: DurableState, onReturned: (place: Position, nowUs: number) => void) {
    this.#state = state;
    this.#onReturned = onReturned;
  }

  /** The next record does not refer to those before it: a checkpoint stands in between. */
  cut(): void {
    this.#lastUs = -1;
  }

  begun(nowUs: number, rules: string): void {
    this.#decided(recordTypes.begin, this.#timed(nowUs), Buffer.from(rules));
  }

  rulesChanged(nowUs: number, rules: string): void {
    this.#decided(recordTypes.rules, this.#timed(nowUs), Buffer.from(rules));
  }

  /**
   * Something acknowledged was lost.
   * @param token see KnownLosses
   * @param isNew merged outputs begin anew
   */
  lost(nowUs: number, token: Uint8Array, isNew: boolean): void {
    const writer = this.#timed(nowUs);
    writer.varint(isNew ? 1 : 0);
    this.#decided(recordTypes.loss, writer, token);
  }

  opened(session: number, nowUs: number, peer: string, grant: Grant | undefined): void {
    const { journal } = this.#state;
    journal.append(recordTypes.open, encodeOpening({ session, nowUs, peer, grant }));
  }

  received(session: number, nowUs: number, bytes: Uint8Array): void {
    const writer = this.#timed(nowUs);
    writer.varint(session);
    try {
      this.#state.journal.appendParts(recordTypes.message, written(writer), bytes);
    } catch (error) {
      // What it was counted from may be behind a time that was told.
      this.cut();
      throw error;
    }
  }

  otlpReceived(nowUs: number, format: OtlpFormat, grant: Grant | undefined, bytes: Uint8Array): void {
    const writer = this.#timed(nowUs);
    const head = encodeOtlpHead(format, grant);
    writer.varint(head.length);
    try {
      this.#state.journal.appendParts(recordTypes.otlp, Buffer.concat([written(writer), head]), bytes);
    } catch (error) {
      this.cut();
      throw error;
    }
  }

  pointsExpired(nowUs: number): void {
    this.#decided(recordTypes.expire, this.#timed(nowUs));
  }

  ended(session: number): void {
    this.#writer.reset();
    this.#writer.varint(session);
    this.#decided(recordTypes.end, this.#writer);
  }

  ticked(nowUs: number): void {
    this.#decided(recordTypes.tick, this.#timed(nowUs));
  }

  returned(place: Position, nowUs: number): void {
    this.#onReturned(place, nowUs);
  }

  readerAdded(
    cursor: ReaderCursor,
    name: string,
    requests: KeptRequests | undefined,
    isAfresh: boolean,
  ): void {
    const { temporality } = cursor;
    this.#numbers.set(cursor, this.readers.add({ name, temporality, requests }));
    this.#writer.reset();
    this.#writer.byte((temporality === 'delta' ? 1 : 0) + (isAfresh ? 2 : 0));
    this.#writer.byte(requestsCode(requests));
    this.#writer.varint(requests?.maxBytes ?? 0);
    this.#decided(recordTypes.reader, this.#writer, Buffer.from(name));
  }

  readerRemoved(cursor: ReaderCursor): void {
    const number = this.#numbers.get(cursor)!;
    this.readers.remove(number);
    this.#numbers.delete(cursor);
    this.#writer.reset();
    this.#writer.varint(number);
    this.#decided(recordTypes.readerGone, this.#writer);
  }

  collected(cursor: ReaderCursor, wallUs: number, nowUs: number): void {
    const writer = this.#timed(nowUs);
    writer.varint(this.#numbers.get(cursor)!);
    writer.varint(wallUs);
    this.#decided(recordTypes.collection, writer);
  }

  delivered(cursor: ReaderCursor): void {
    this.#writer.reset();
    this.#writer.varint(this.#numbers.get(cursor)!);
    this.#decided(recordTypes.delivery, this.#writer);
  }

  shown(stream: number, shapes: readonly ShownShape[]): void {
    const writer = this.#writer;
    writer.reset();
    writer.varint(stream);
    writeShapes(writer, shapes);
    this.#decided(recordTypes.shown, writer);
  }

  /** A delta reader's interval was read on by so many steps, without a pause. */
  steps(cursor: ReaderCursor, count: number): void {
    this.stepsOf(this.#numbers.get(cursor)!, count);
  }

  /** The same of a reader by its number, which may be one of the run before: until {@link begun}. */
  stepsOf(reader: number, count: number): void {
    this.#counted(recordTypes.steps, reader, count);
  }

  /** So many requests of a delta reader's oldest interval have been answered for good. */
  answered(cursor: ReaderCursor, count: number): void {
    this.#counted(recordTypes.answers, this.#numbers.get(cursor)!, count);
  }

  swept({ endedBeforeS, idleBeforeS, nowS, nowUs }: Sweeping): void {
    const seconds = Buffer.alloc(24);
    for (const [i, second] of [endedBeforeS, idleBeforeS, nowS].entries())
      seconds.writeDoubleLE(second, 8 * i);
    this.#decided(recordTypes.sweep, this.#timed(nowUs), seconds);
  }

  get isCongested(): boolean {
    return this.#state.journal.isCongested;
  }

  whenCommitted(run: () => void): void {
    const { journal } = this.#state;
    journal.whenCommitted(journal.position, run);
  }

  /** Resolves once everything up to now is committed. */
  committed(): Promise<void> {
    return new Promise((resolve) => this.whenCommitted(resolve));
  }

  place(): Position {
    const { directoryId, term, journal } = this.#state;
    return { directoryId, term, journalPosition: journal.position };
  }

  #counted(type: number, reader: number, count: number): void {
    this.#writer.reset();
    this.#writer.varint(reader);
    this.#writer.varint(count);
    this.#decided(type, this.#writer);
  }

  /** A record's beginning: how long after the one before it was. */
  #timed(nowUs: number): ByteWriter {
    const writer = this.#writer;
    writer.reset();
    if (this.#lastUs < 0 || nowUs < this.#lastUs) {
      writer.varint(nowUs);
      this.#decided(recordTypes.time, writer);
      this.#lastUs = nowUs;
      writer.reset();
    }
    writer.varint(nowUs - this.#lastUs);
    this.#lastUs = nowUs;
    return writer;
  }

  #decided(type: number, head: ByteWriter, bytes?: Uint8Array): void {
    const { journal } = this.#state;
    // What ends with the process is not lost with it.
    if (journal.isClosed) return;
    const first = written(head);
    journal.appendDecision(type, bytes === undefined ? first : Buffer.concat([first, bytes]));
  }
}

const formats = ['otlp', 'console'] as const;
/** In place of what a reader's intervals become: there is none of this number. */
export const noReaderCode = 1 + formats.length;

/** 0: its intervals are not kept. */
export function requestsCode(requests: KeptRequests | undefined): number {
  return requests === undefined ? 0 : 1 + formats.indexOf(requests.format);
}

/** What {@link requestsCode} stands for, with how many bytes a request has at most. */
export function requestsOf(code: number, maxBytes: number): KeptRequests | undefined {
  const format = formats[code - 1];
  return format === undefined ? undefined : { format, maxBytes };
}

function written(writer: ByteWriter): Uint8Array {
  return writer.bytes.subarray(0, writer.length);
}
