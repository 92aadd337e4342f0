import { ArrayCopy, GrowingArray } from '../../snapshot/array-copy.ts';
import type { SnapshotChunk } from '../../snapshot/snapshot-chunk.ts';
import type { SnapshotPart } from '../../snapshot/snapshot-part.ts';
import type { SnapshotReader } from '../../snapshot/snapshot-reader.ts';
import type { SnapshotWriter } from '../../snapshot/snapshot-writer.ts';
import { readCells, writeCells } from '../../snapshot/write-cells.ts';
import { entryOf, isForeign, kindCodeOf, kindsByCode, slotOf } from '../member-series.ts';
import type { Member } from '../members.ts';
import type { SeriesColumns } from '../series-columns.ts';

/** A slot's series is none of its member's any more, its own, or its own in a foreign resource. */
const ownMark = 1;
const foreignMark = 2;

/** Entries that are looked at without a pause: two milliseconds or so. */
const entriesInTurn = 65_536;

/** Which slots their members still know, by kind and slot: a byte each. The members' tables are made anew from it. */
export class MemberSeriesPart implements SnapshotPart {
  readonly #members: readonly (Member | undefined)[];
  readonly #columns: readonly SeriesColumns[];
  /** All members' tables, one after the other. */
  readonly #tables = new ArrayCopy(Uint32Array);
  #lengths: readonly number[] = [];
  readonly #marks: readonly ArrayCopy<Uint8Array>[];

  /** @param columns of the states, by kind code */
  constructor(members: readonly (Member | undefined)[], columns: readonly SeriesColumns[]) {
    this.#members = members;
    this.#columns = columns;
    this.#marks = columns.map(() => new ArrayCopy(Uint8Array));
  }

  *reserve(): Generator<void, void> {
    let length = 0;
    for (const member of this.#members) length += member?.series.table.length ?? 0;
    yield;
    // Members come and go until it is taken.
    this.#tables.reserve(Math.ceil(length * 1.1));
    for (const [code, { length }] of this.#columns.entries()) {
      yield;
      this.#marks[code]!.reserve(length);
    }
  }

  take(): void {
    const tables = this.#tables;
    tables.length = 0;
    for (const member of this.#members)
      if (member !== undefined) tables.append(member.series.table, member.series.table.length);
    this.#lengths = this.#columns.map(({ length }) => length);
  }

  *write(writer: SnapshotWriter): Generator<SnapshotChunk, void> {
    const { cells, length } = this.#tables;
    const marks = this.#marks.map((copy, code) => {
      copy.clear(this.#lengths[code]!);
      return copy.cells;
    });
    for (let at = 0; at < length; ) {
      for (const end = Math.min(length, at + entriesInTurn); at < end; at++) {
        const entry = cells[at]!;
        if (entry !== 0) marks[kindCodeOf(entry)]![slotOf(entry)] = isForeign(entry) ? foreignMark : ownMark;
      }
      // So that others run in between; the chunk holds what was written before, if anything.
      if (at < length) yield writer.cut();
    }
    for (const copy of this.#marks) yield* writeCells(writer, copy, copy.length);
  }

  *load(reader: SnapshotReader): Generator<void, void> {
    for (const [code, columns] of this.#columns.entries()) {
      const marks = new GrowingArray(Uint8Array);
      const length = yield* readCells(reader, marks, columns.length, 'series of members');
      if (length !== columns.length)
        throw reader.error(`members have series in ${length} slots; ${columns.length} are expected`);
      this.#add(code, columns, marks.cells, reader);
    }
  }

  #add(code: number, columns: SeriesColumns, marks: Uint8Array, reader: SnapshotReader): void {
    const kind = kindsByCode[code]!;
    const inUse = columns.slotsInUse();
    for (let slot = 0; slot < columns.length; slot++) {
      const mark = marks[slot]!;
      if (mark === 0) continue;
      if (mark > foreignMark || inUse[slot] === 0)
        throw reader.error(
          `${kind} slot ${slot} is marked ${mark}, and is ${inUse[slot] === 0 ? 'free' : 'in use'}`,
        );
      const { series } = this.#members[columns.member.get(slot)]!;
      const resource = mark === foreignMark ? columns.resource.get(slot) : undefined;
      if (series.slot(kind, columns.definition.get(slot), resource) !== 0)
        throw reader.error(`${kind} slot ${slot} is of a series that its member has already`);
      series.add(entryOf(kind, slot, mark === foreignMark));
    }
  }
}
