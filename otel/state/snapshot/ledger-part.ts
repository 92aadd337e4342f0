import { Float64List } from '../../snapshot/float64-list.ts';
import type { SnapshotChunk } from '../../snapshot/snapshot-chunk.ts';
import type { SnapshotPart } from '../../snapshot/snapshot-part.ts';
import type { SnapshotReader } from '../../snapshot/snapshot-reader.ts';
import type { SnapshotWriter } from '../../snapshot/snapshot-writer.ts';
import type { LedgerEntry } from '../input-ledger.ts';

/** Numbers of an entry in the copy, before those of its causes: earlier, freed, points and amount of the baseline, how many causes. */
const rowLength = 5;

/** The book of what comes in. */
export class LedgerPart implements SnapshotPart {
  readonly #all: () => Iterable<LedgerEntry>;
  readonly #add: (member: string, metric: string) => LedgerEntry | undefined;
  #entries: LedgerEntry[] = [];
  #causes: string[] = [];
  readonly #rows = new Float64List();

  /** @param add makes an entry; gives `undefined` where there is one */
  constructor(
    all: () => Iterable<LedgerEntry>,
    add: (member: string, metric: string) => LedgerEntry | undefined,
  ) {
    this.#all = all;
    this.#add = add;
  }

  take(): void {
    const rows = this.#rows;
    this.#entries = [];
    this.#causes = [];
    rows.clear();
    for (const entry of this.#all()) {
      this.#entries.push(entry);
      rows.push(entry.earlier);
      rows.push(entry.freed);
      rows.push(entry.baseline.points);
      rows.push(entry.baseline.amount);
      rows.push(entry.refused.size);
      for (const [cause, { points, amount }] of entry.refused) {
        this.#causes.push(cause);
        rows.push(points);
        rows.push(amount);
      }
    }
  }

  *write(writer: SnapshotWriter): Generator<SnapshotChunk, void> {
    const { items } = this.#rows;
    writer.varint(this.#entries.length);
    let at = 0;
    let cause = 0;
    for (const { member, metric } of this.#entries) {
      writer.text(member);
      writer.text(metric);
      for (let i = 0; i < 4; i++) writer.float64(items[at + i]!);
      const causes = items[at + 4]!;
      writer.varint(causes);
      at += rowLength;
      for (const end = cause + causes; cause < end; cause++, at += 2) {
        writer.text(this.#causes[cause]!);
        writer.float64(items[at]!);
        writer.float64(items[at + 1]!);
      }
      if (writer.isFull) yield writer.cut();
    }
    this.#entries = [];
    this.#causes = [];
  }

  *load(reader: SnapshotReader): Generator<void, void> {
    while (reader.isSpent) yield;
    for (let left = reader.varint(undefined, 'how many entries the ledger has'); left > 0; left--) {
      while (reader.isSpent) yield;
      const member = reader.text();
      const metric = reader.text();
      const entry = this.#add(member, metric);
      if (entry === undefined)
        throw reader.error(
          `the entry of ${JSON.stringify(member)} and ${JSON.stringify(metric)} comes twice`,
        );
      entry.earlier = reader.float64();
      entry.freed = reader.float64();
      entry.baseline.points = reader.float64();
      entry.baseline.amount = reader.float64();
      for (let causes = reader.varint(reader.left, 'how many causes an entry has'); causes > 0; causes--)
        entry.refused.set(reader.text(), { points: reader.float64(), amount: reader.float64() });
    }
  }
}
