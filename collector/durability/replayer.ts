import { StreamgaugeError } from '../../proto/error.ts';
import type { CollectorState } from '../collector-state.ts';
import type { JournalRecord } from '../journal/frame.ts';
import type { ReaderCursor } from '../outputs/reader-cursor.ts';
import type { OtlpIntake } from '../receivers/otlp/otlp-intake.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { absentPeer } from '../sessions/snapshot/sessions-part.ts';
import { beginAfresh } from './begin-afresh.ts';
import type { IntervalReplay } from './interval-replay.ts';
import type { KnownLosses } from './known-losses.ts';
import { ReaderNumbers } from './reader-numbers.ts';
import { badRecord, RecordReader } from './record-reader.ts';
import { recordTypes } from './record-types.ts';
import { decodeOpening } from './recorded-opening.ts';
import { decodeOtlpHead } from './recorded-otlp.ts';
import { readShapes } from './recorded-shapes.ts';
import { type RecordedReader, type Recorder, requestsOf } from './recorder.ts';
import { rulesFromText, rulesText } from './state-rules.ts';

interface ReplayedReader extends RecordedReader {
  readonly cursor: ReaderCursor;
  readonly intervals: IntervalReplay | undefined;
}

export interface ReplayOptions {
  readonly state: CollectorState;
  /** Sessions that nobody speaks through. */
  readonly sessions: Sessions;
  readonly losses: KnownLosses;
  /** Who makes the intervals of a delta reader again; `undefined`: nobody. */
  readonly intervalsOf: (reader: RecordedReader, cursor: ReaderCursor) => IntervalReplay | undefined;
  /** Told of messages that made the collector fail, then and now: their stream ended there. */
  readonly onBug: (error: unknown) => void;
}

/** Does again what the journal says was done, over the state as it was before. */
export class Replayer {
  readonly #options: ReplayOptions;
  readonly #reader = new RecordReader();
  #readers = new ReaderNumbers<ReplayedReader>();
  #timeUs = -1;
  /** Streams that a message of theirs has ended here. */
  readonly #failed = new Set<number>();
  /** Where the first message of these is in the journal that came then, and is not applied: behind it. */
  skippedAt: number | undefined;
  #position = 0;
  /** Made for the rules in force. */
  #otlp: OtlpIntake | undefined;

  constructor(options: ReplayOptions) {
    this.#options = options;
  }

  /** Those that were there when the checkpoint was written. */
  claim(readers: readonly (RecordedReader | undefined)[]): void {
    for (const reader of readers)
      this.#readers.restore(reader === undefined ? undefined : this.#readerOf(reader, false));
  }

  /** Records come after this time. */
  beginAt(timeUs: number): void {
    this.#timeUs = timeUs;
  }

  /** @throws StreamgaugeError `invalid_data`, SnapshotError or SyntaxError for a record that cannot have been written over this state */
  apply(record: JournalRecord): void {
    const { type, bytes, position } = record;
    this.#position = position;
    const { state, sessions, losses } = this.#options;
    const reader = this.#reader;
    reader.begin(bytes);
    switch (type) {
      case recordTypes.time:
        this.#timeUs = reader.varint();
        break;
      case recordTypes.begin:
        this.#showTime();
        this.#endAll();
        this.#changeRules(reader.rest().toString());
        break;
      case recordTypes.rules:
        this.#showTime();
        this.#changeRules(reader.rest().toString());
        break;
      case recordTypes.reader: {
        const flags = reader.varint();
        const temporality = (flags & 1) === 1 ? 'delta' : 'cumulative';
        const requests = requestsOf(reader.varint(), reader.varint());
        const name = reader.rest().toString();
        this.#readers.add(this.#readerOf({ name, temporality, requests }, (flags & 2) === 2));
        break;
      }
      case recordTypes.readerGone: {
        const number = reader.varint();
        const { cursor, intervals } = this.#readerAt(number);
        intervals?.replayGone();
        state.outputs.removeReader(cursor);
        this.#readers.remove(number);
        break;
      }
      case recordTypes.open:
        this.#open(bytes);
        break;
      case recordTypes.message:
        this.#showTime();
        this.#receive(reader.varint(), reader.rest());
        break;
      case recordTypes.end:
        sessions.get(reader.varint())?.closed();
        break;
      case recordTypes.tick:
        sessions.tick(this.#showTime());
        break;
      case recordTypes.otlp: {
        const nowUs = this.#showTime();
        const head = reader.take(reader.varint());
        this.#takeOtlp(nowUs, head, reader.rest());
        break;
      }
      case recordTypes.expire:
        state.expirePoints(this.#showTime());
        break;
      case recordTypes.sweep: {
        const nowUs = this.#showTime();
        const sweeping = {
          endedBeforeS: reader.float64(),
          idleBeforeS: reader.float64(),
          nowS: reader.float64(),
        };
        state.outputs.sweepNow({ ...sweeping, nowUs });
        break;
      }
      case recordTypes.collection: {
        this.#showTime();
        const { cursor, intervals } = this.#readerAt(reader.varint());
        const wallUs = reader.varint();
        if (intervals === undefined) state.outputs.collect(cursor, wallUs);
        else intervals.replayBegan(wallUs);
        break;
      }
      case recordTypes.delivery:
        state.outputs.delivered(this.#readerAt(reader.varint()).cursor);
        break;
      case recordTypes.shown: {
        const stream = reader.varint();
        for (const shape of readShapes(reader))
          if (!state.outputs.showAs(stream, shape))
            throw badRecord(
              `the stream ${stream} has no point ${shape.point} that could be shown at scale ${shape.scale} and zero threshold ${shape.zeroThreshold}`,
            );
        break;
      }
      case recordTypes.steps:
        this.#readerAt(reader.varint()).intervals?.replaySteps(reader.varint());
        break;
      case recordTypes.answers:
        this.#readerAt(reader.varint()).intervals?.replayAnswered(reader.varint());
        break;
      case recordTypes.loss: {
        const nowUs = this.#showTime();
        if (reader.varint() === 1) beginAfresh(state, sessions, nowUs);
        losses.add(reader.rest());
        break;
      }
      default:
        throw badRecord(`type ${type} is not known`);
    }
  }

  /** Reads intervals that are half-made to their ends, and has that recorded: what they are read from is about to change. */
  finishIntervals(recorder: Recorder): void {
    for (const [number, reader] of this.#readers.all.entries())
      reader?.intervals?.finishNow(
        (steps) => recorder.stepsOf(number, steps),
        () => recorder.committed(),
      );
  }

  #showTime(): number {
    if (this.#timeUs < 0) throw badRecord('no time comes before it');
    this.#timeUs += this.#reader.varint();
    this.#options.state.clock.show(this.#timeUs);
    return this.#timeUs;
  }

  #endAll(): void {
    const { state, sessions } = this.#options;
    for (const session of [...sessions]) session.closed();
    state.outputs.unclaimReaders();
    this.#readers = new ReaderNumbers();
  }

  #changeRules(text: string): void {
    const { state, sessions } = this.#options;
    this.#otlp = undefined;
    if (text === rulesText(state.rules)) return;
    if (!state.change(rulesFromText(text), sessions))
      throw new StreamgaugeError('bug', 'the views cannot be changed while an interval is read');
  }

  #readerOf(reader: RecordedReader, isAfresh: boolean): ReplayedReader {
    const { state, intervalsOf } = this.#options;
    const { temporality, name, requests } = reader;
    const cursor = state.outputs.addReader(temporality, name, requests, isAfresh);
    return { ...reader, cursor, intervals: intervalsOf(reader, cursor) };
  }

  #readerAt(number: number): ReplayedReader {
    const reader = this.#readers.at(number);
    if (reader === undefined) throw badRecord(`there is no reader ${number}`);
    return reader;
  }

  #open(bytes: Buffer): void {
    const { state, sessions } = this.#options;
    const { session, nowUs, peer, grant } = decodeOpening(bytes);
    state.clock.show(nowUs);
    const opened = sessions.open(absentPeer(peer, session, grant));
    if (opened.number !== session)
      throw badRecord(`the stream ${session} was opened where ${opened.number} would have been`);
  }

  /** A request that makes us fail made us fail then, at the same place. */
  #takeOtlp(nowUs: number, head: Buffer, bytes: Buffer): void {
    const { state, sessions, onBug } = this.#options;
    const { format, grant } = decodeOtlpHead(head);
    this.#otlp ??= state.otlp(sessions);
    try {
      this.#otlp.take(bytes, format, nowUs, grant);
    } catch (error) {
      onBug(error);
    }
  }

  /**
   * A message that makes us fail made us fail then, and its stream ended. Where that is not so, since another version took it in, those that follow on its stream are
   * passed over: they mean nothing without it, and everything else goes on.
   */
  #receive(number: number, bytes: Buffer): void {
    const session = this.#options.sessions.get(number);
    if (session === undefined) {
      if (!this.#failed.has(number)) throw badRecord(`the stream ${number} is not open`);
      this.skippedAt ??= this.#position;
      return;
    }
    try {
      session.receive(bytes);
    } catch (error) {
      this.#options.onBug(error);
      this.#failed.add(number);
      session.closed();
    }
  }
}
