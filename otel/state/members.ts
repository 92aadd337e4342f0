import type { SnapshotPart } from '../snapshot/snapshot-part.ts';
import type { InternedResources, ResourceEntry } from './interned-resources.ts';
import { MemberSeries } from './member-series.ts';
import type { SamplingClocks } from './sampling-clocks.ts';
import type { SeriesColumns } from './series-columns.ts';
import { MemberSeriesPart } from './snapshot/member-series-part.ts';
import { MembersPart } from './snapshot/members-part.ts';

/** One source of state: an agent, a service instance, a scrape target. */
export interface Member {
  readonly index: number;
  readonly id: string;
  resource: ResourceEntry;
  readonly series: MemberSeries;
  /** Clocks by sampling group. */
  readonly clocks: Map<number, number>;
  /** When it last reported or joined: microseconds by the store's clock. */
  lastReportUs: number;
  /** When it last reported. What it reported is no newer because it has joined again. */
  reportedUs: number;
  /** False once it said goodbye or went stale, until it reports again. */
  isPresent: boolean;
  /** How often it has left: tells a stream that what it reports was taken out meanwhile. */
  absences: number;
  /** Slots that are its own, those included that have ended and are not yet freed. */
  slots: number;
  /** What their definitions take together. */
  definitionBytes: number;
  isEvicted: boolean;
}

/** The members by id and by index. An index is used again when its member was evicted and its last slot has been freed. */
export class Members {
  readonly #byId = new Map<string, Member>();
  readonly #byIndex: (Member | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #columns: readonly SeriesColumns[];

  /** @param columns of the states, by kind code: see MemberSeries */
  constructor(columns: readonly SeriesColumns[]) {
    this.#columns = columns;
  }

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): Member | undefined {
    return this.#byId.get(id);
  }

  at(index: number): Member | undefined {
    return this.#byIndex[index];
  }

  [Symbol.iterator](): IterableIterator<Member> {
    return this.#byId.values();
  }

  add(id: string, resource: ResourceEntry, nowUs: number): Member {
    const index = this.#free.pop() ?? this.#byIndex.length;
    const member = this.#make({ index, id, resource, lastReportUs: nowUs });
    this.#byIndex[index] = member;
    this.#byId.set(id, member);
    return member;
  }

  /** The id may be taken anew; the index still stands for the member's series. */
  forget(member: Member): void {
    if (this.#byId.get(member.id) === member) this.#byId.delete(member.id);
  }

  /** For a snapshot. They have no series and no slots when they are loaded: see {@link Members.snapshotSeriesPart}. */
  snapshotPart(resources: InternedResources, clocks: SamplingClocks): SnapshotPart {
    return new MembersPart(this.#byId, this.#byIndex, this.#free, resources, clocks, (of) => this.#make(of));
  }

  /** For a snapshot: the members' series. Loaded after members and columns. */
  snapshotSeriesPart(): SnapshotPart {
    return new MemberSeriesPart(this.#byIndex, this.#columns);
  }

  release(member: Member): void {
    this.#byIndex[member.index] = undefined;
    this.#free.push(member.index);
  }

  #make({
    index,
    id,
    resource,
    lastReportUs,
  }: Pick<Member, 'index' | 'id' | 'resource' | 'lastReportUs'>): Member {
    return {
      index,
      id,
      resource,
      series: new MemberSeries(this.#columns),
      clocks: new Map(),
      lastReportUs,
      reportedUs: lastReportUs,
      isPresent: false,
      absences: 0,
      slots: 0,
      definitionBytes: 0,
      isEvicted: false,
    };
  }
}
