import type { SnapshotChunk } from '../../../otel/snapshot/snapshot-chunk.ts';
import type { SnapshotPart } from '../../../otel/snapshot/snapshot-part.ts';
import type { SnapshotReader } from '../../../otel/snapshot/snapshot-reader.ts';
import type { SnapshotWriter } from '../../../otel/snapshot/snapshot-writer.ts';
import type { MetricStore } from '../../../otel/state/metric-store.ts';
import { decodeAgentMessage, encodeAgentMessage, type Hello } from '../../../proto/messages/agent-message.ts';
import { StreamCopies } from '../../../proto/report/stream-capture.ts';
import type { Grant } from '../../security/grant.ts';
import type { PendingCapture } from '../pending-capture.ts';
import { incarnationOf } from '../session.ts';
import type { RestoredOpen, SessionCapture } from '../session-capture.ts';
import type { SessionPeer } from '../session-host.ts';
import type { Sessions } from '../sessions.ts';
import { readGrant, writeGrant } from './grant.ts';
import { orError } from './or-error.ts';
import { StreamColumnsReader } from './stream-columns.ts';
import { readStreamSeries, writeStreamSeries } from './stream-series.ts';

/** The peer of a session whose connection is gone: what the session says goes nowhere. */
export const absentPeer: PeerOf = (address, _session, grant) => ({ address, grant, send() {}, end() {} });

/** The other end of a loaded session: by its address and number, and what it may do and write, where that has bounds. */
export type PeerOf = (address: string, session: number, grant: Grant | undefined) => SessionPeer;

/**
 * The streams that are held, with all that decoding and merging of their next messages depends on. Their connections do not come back:
 * loaded sessions are there to take in what was journalled after the moment. The format is in docs/checkpoint.md, "Sessions".
 */
export class SessionsPart implements SnapshotPart {
  readonly #sessions: Sessions;
  readonly #store: MetricStore;
  readonly #peerOf: PeerOf;
  readonly #copies = new StreamCopies();
  #captures: PendingCapture[] = [];
  #lastNumber = 0;

  /** @param peerOf for each session that is loaded */
  constructor(sessions: Sessions, store: MetricStore, peerOf: PeerOf = absentPeer) {
    this.#sessions = sessions;
    this.#store = store;
    this.#peerOf = peerOf;
  }

  *reserve(): Generator<void, void> {
    this.#drop();
    const { series, cells } = this.#size();
    yield* this.#copies.reserve(series, cells);
  }

  /** Between two messages of every stream. Each is copied before its next message, or when it is written. Measured by `npm run bench snapshot-streams`. */
  take(): void {
    this.#drop();
    const { series, cells } = this.#size();
    this.#copies.begin(series, cells);
    this.#lastNumber = this.#sessions.lastNumber;
    for (const session of this.#sessions) this.#captures.push(session.captureLater(this.#copies));
  }

  /** What was not written yet of the moment before. */
  #drop(): void {
    for (const capture of this.#captures) capture.drop();
    this.#captures = [];
  }

  #size(): { series: number; cells: number } {
    let series = 0;
    let cells = 0;
    for (const session of this.#sessions) {
      series += session.series;
      cells += session.cells;
    }
    return { series, cells };
  }

  *write(writer: SnapshotWriter): Generator<SnapshotChunk, void> {
    writer.varint(this.#lastNumber);
    writer.varint(this.#captures.length);
    for (const capture of this.#captures) {
      if (writer.isFull) yield writer.cut();
      yield* this.#writeSession(writer, capture.take()!);
    }
    this.#captures = [];
    if (writer.isFull) yield writer.cut();
  }

  *#writeSession(
    writer: SnapshotWriter,
    { number, openedUs, expireUs, peer, grant, open }: SessionCapture,
  ): Generator<SnapshotChunk, void> {
    writer.varint(number);
    writer.float64(openedUs);
    writer.float64(expireUs);
    writer.string(peer);
    writeGrant(writer, grant);
    writer.boolean(open !== undefined);
    if (open === undefined) return;
    writer.bytes(encodeAgentMessage(open.hello));
    writer.varint(open.lastReport);
    writer.varint(open.reports);
    writer.varint(open.points);
    if (writer.isFull) yield writer.cut();
    yield* writeStreamSeries(writer, open.series, this.#copies);
  }

  /** Into sessions of which there were none, after the store and the owners. @throws SnapshotError for what sessions cannot have been */
  *load(reader: SnapshotReader): Generator<void, void> {
    const lastNumber = reader.varint(maxSessionNumber, 'the number of the last session');
    this.#sessions.restoreLastNumber(lastNumber);
    const count = reader.varint(lastNumber, 'a count of sessions');
    const columnsReader = new StreamColumnsReader();
    const numbers = new Set<number>();
    for (let i = 0; i < count; i++) {
      if (reader.isSpent) yield;
      const number = reader.varint(lastNumber, 'the number of a session');
      if (number === 0 || numbers.has(number)) throw reader.error(`a session has the number ${number}`);
      numbers.add(number);
      const openedUs = reader.float64();
      const expireUs = reader.float64();
      const address = reader.string();
      const grant = readGrant(reader);
      const isOpen = reader.boolean();
      const open = isOpen ? yield* this.#readOpen(reader, columnsReader, number, grant) : undefined;
      this.#sessions.restore({ number, openedUs, expireUs, open }, this.#peerOf(address, number, grant));
    }
  }

  *#readOpen(
    reader: SnapshotReader,
    columnsReader: StreamColumnsReader,
    number: number,
    grant: Grant | undefined,
  ): Generator<void, RestoredOpen> {
    const hello = readHello(reader);
    const { memberId } = hello;
    const owner = this.#sessions.owners.get(memberId);
    if (owner === undefined || owner.live !== undefined || !owner.incarnations.has(incarnationOf(hello)))
      throw reader.error(`session ${number} cannot speak for ${JSON.stringify(memberId)}`);
    const member = this.#store.members.get(memberId);
    if (member === undefined)
      throw reader.error(`the member ${JSON.stringify(memberId)} is not in the store`);
    const lastReport = reader.varint();
    const reports = reader.varint();
    const points = reader.varint();
    const series = yield* readStreamSeries(reader, columnsReader, number, grant, member, this.#store);
    return { hello, lastReport, reports, points, member, series };
  }
}

/** The store keeps a session's number in 32 bits, of which the highest number is nobody's. */
const maxSessionNumber = 2 ** 32 - 2;

function readHello(reader: SnapshotReader): Hello {
  const bytes = Buffer.from(reader.bytes());
  const message = orError(reader, () => decodeAgentMessage(bytes));
  if (message.type !== 'hello') throw reader.error(`a session began with ${message.type}, not with hello`);
  return message;
}
