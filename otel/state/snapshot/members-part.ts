import { Float64List } from '../../snapshot/float64-list.ts';
import type { SnapshotChunk } from '../../snapshot/snapshot-chunk.ts';
import type { SnapshotPart } from '../../snapshot/snapshot-part.ts';
import type { SnapshotReader } from '../../snapshot/snapshot-reader.ts';
import type { SnapshotWriter } from '../../snapshot/snapshot-writer.ts';
import type { InternedResources } from '../interned-resources.ts';
import type { Member } from '../members.ts';
import type { SamplingClocks } from '../sampling-clocks.ts';
import { readFree, writeFree } from './free-numbers.ts';

const presentFlag = 1;
const evictedFlag = 2;

/**
 * Numbers of a member in the copy, before its pairs of sampling group and clock: index, resource, when it last reported or joined, when it last
 * reported, absences, flags, how many pairs.
 */
const rowLength = 7;

/** Members: first those that are known by their ids, in their order, then those that are evicted and not yet freed. */
export class MembersPart implements SnapshotPart {
  readonly #byId: Map<string, Member>;
  readonly #byIndex: (Member | undefined)[];
  readonly #freeIndexes: number[];
  readonly #resources: InternedResources;
  readonly #clocks: SamplingClocks;
  readonly #make: (of: Pick<Member, 'index' | 'id' | 'resource' | 'lastReportUs'>) => Member;
  #ids: string[] = [];
  #length = 0;
  #free: readonly number[] = [];
  readonly #rows = new Float64List();

  /** @param make a member that has nothing else yet */
  constructor(
    byId: Map<string, Member>,
    byIndex: (Member | undefined)[],
    freeIndexes: number[],
    resources: InternedResources,
    clocks: SamplingClocks,
    make: (of: Pick<Member, 'index' | 'id' | 'resource' | 'lastReportUs'>) => Member,
  ) {
    this.#byId = byId;
    this.#byIndex = byIndex;
    this.#freeIndexes = freeIndexes;
    this.#resources = resources;
    this.#clocks = clocks;
    this.#make = make;
  }

  take(): void {
    this.#ids = [];
    this.#rows.clear();
    this.#length = this.#byIndex.length;
    this.#free = this.#freeIndexes.slice();
    for (const member of this.#byId.values()) this.#take(member);
    for (const member of this.#byIndex) if (member?.isEvicted) this.#take(member);
  }

  *write(writer: SnapshotWriter): Generator<SnapshotChunk, void> {
    yield* writeFree(writer, this.#length, this.#free);
    const { items } = this.#rows;
    let at = 0;
    for (const id of this.#ids) {
      writer.string(id);
      writer.varint(items[at]!);
      writer.varint(items[at + 1]!);
      writer.float64(items[at + 2]!);
      writer.float64(items[at + 3]!);
      writer.varint(items[at + 4]!);
      writer.byte(items[at + 5]!);
      const pairs = items[at + 6]!;
      writer.varint(pairs);
      at += rowLength;
      for (const end = at + 2 * pairs; at < end; at++) writer.varint(items[at]!);
      if (writer.isFull) yield writer.cut();
    }
    this.#ids = [];
  }

  *load(reader: SnapshotReader): Generator<void, void> {
    const { length, isFree } = yield* readFree(reader, this.#freeIndexes, 0, 'members');
    const loaded = new Map<number, Member>();
    for (let left = length - this.#freeIndexes.length; left > 0; left--) {
      while (reader.isSpent) yield;
      const member = this.#read(reader, length - 1);
      if (isFree(member.index) || loaded.has(member.index))
        throw reader.error(
          `member ${JSON.stringify(member.id)} has index ${member.index}, which is free or another's`,
        );
      loaded.set(member.index, member);
      if (member.isEvicted) continue;
      if (this.#byId.has(member.id)) throw reader.error(`member ${JSON.stringify(member.id)} comes twice`);
      this.#byId.set(member.id, member);
    }
    for (let index = 0; index < length; index++) this.#byIndex.push(loaded.get(index));
  }

  #take(member: Member): void {
    const rows = this.#rows;
    this.#ids.push(member.id);
    rows.push(member.index);
    rows.push(member.resource.number);
    rows.push(member.lastReportUs);
    rows.push(member.reportedUs);
    rows.push(member.absences);
    rows.push((member.isPresent ? presentFlag : 0) | (member.isEvicted ? evictedFlag : 0));
    rows.push(member.clocks.size);
    for (const [group, clock] of member.clocks) {
      rows.push(group);
      rows.push(clock);
    }
  }

  #read(reader: SnapshotReader, maxIndex: number): Member {
    const id = reader.string();
    const index = reader.varint(maxIndex, 'the index of a member');
    const resource = reader.varint(undefined, "the number of a member's resource");
    if (!this.#resources.has(resource))
      throw reader.error(`member ${JSON.stringify(id)} has resource ${resource}, which there is not`);
    const member = this.#make({
      index,
      id,
      resource: this.#resources.hold(this.#resources.at(resource)),
      lastReportUs: reader.float64(),
    });
    member.reportedUs = reader.float64();
    member.absences = reader.varint();
    const flags = reader.byte();
    if (flags > (presentFlag | evictedFlag)) throw reader.error(`${flags} are no flags of a member`);
    member.isPresent = (flags & presentFlag) !== 0;
    member.isEvicted = (flags & evictedFlag) !== 0;
    for (let left = reader.varint(reader.left, 'how many clocks a member has'); left > 0; left--) {
      const group = reader.varint();
      const clock = reader.varint();
      if (clock === 0 || !this.#clocks.has(clock))
        throw reader.error(`member ${JSON.stringify(id)} has clock ${clock}, which there is not`);
      member.clocks.set(group, clock);
    }
    return member;
  }
}
