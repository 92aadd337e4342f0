import type { SnapshotPart } from '../snapshot/snapshot-part.ts';
import { LedgerPart } from './snapshot/ledger-part.ts';

/** What became of points that were not counted whole, and how much they held: of counters their value, of histograms their count. */
export interface Booked {
  points: number;
  amount: number;
}

/** What one member's metric has come to, beside what its series hold at present. */
export interface LedgerEntry {
  /** Empty: of all members that have no entry of their own. */
  readonly member: string;
  /** Empty: of all metrics that have none. */
  readonly metric: string;
  /** What was reported in epochs that are over, and by series that were freed. */
  earlier: number;
  /** What series had counted when they were freed. */
  freed: number;
  /** First values that were set aside, since it cannot be known what of them is new. */
  readonly baseline: Booked;
  /** By cause; of use where something was refused. */
  readonly refused: Map<string, Booked>;
}

/**
 * The book of what comes in, by member and metric: every value that is not counted is here, with its cause. For each entry holds, at
 * any moment,
 *
 *     reported = counted + baseline
 *
 * where reported is what the series hold in their epochs, plus `earlier`, and counted is what merging views have of them, plus `freed`.
 * Merging books nothing, so it costs nothing per point. Bounded: when it is full, members that are new to it share an entry for each
 * metric, and metrics that are new share one.
 */
export class InputLedger {
  readonly #byMember = new Map<string, Map<string, LedgerEntry>>();
  readonly #maxEntries: number;
  #size = 0;

  constructor(maxEntries = 50_000) {
    this.#maxEntries = maxEntries;
  }

  get size(): number {
    return this.#size;
  }

  [Symbol.iterator](): IterableIterator<LedgerEntry> {
    return this.#all();
  }

  /** The entry to book on, made when it is new. */
  entry(member: string, metric: string): LedgerEntry {
    return this.find(member, metric) ?? this.#make(member, metric);
  }

  /** Where the member's metric is booked, if anything has been. */
  find(member: string, metric: string): LedgerEntry | undefined {
    return (
      this.#byMember.get(member)?.get(metric) ??
      this.#byMember.get('')?.get(metric) ??
      this.#byMember.get('')?.get('')
    );
  }

  refuse(member: string, metric: string, cause: string, points: number, amount: number): void {
    const { refused } = this.entry(member, metric);
    const booked = refused.get(cause);
    if (booked === undefined) refused.set(cause, { points, amount });
    else {
      booked.points += points;
      booked.amount += amount;
    }
  }

  /** For a snapshot. */
  snapshotPart(): SnapshotPart {
    return new LedgerPart(
      () => this.#all(),
      (member, metric) => (this.#byMember.get(member)?.has(metric) ? undefined : this.#add(member, metric)),
    );
  }

  #make(member: string, metric: string): LedgerEntry {
    // Half of the room is for single members, the rest for what they share.
    if (this.#size < this.#maxEntries / 2) return this.#add(member, metric);
    if (this.#size < this.#maxEntries - 1) return this.#add('', metric);
    return this.#add('', '');
  }

  #add(member: string, metric: string): LedgerEntry {
    const entry: LedgerEntry = {
      member,
      metric,
      earlier: 0,
      freed: 0,
      baseline: { points: 0, amount: 0 },
      refused: new Map(),
    };
    let metrics = this.#byMember.get(member);
    if (metrics === undefined) {
      metrics = new Map();
      this.#byMember.set(member, metrics);
    }
    metrics.set(metric, entry);
    this.#size++;
    return entry;
  }

  *#all(): Generator<LedgerEntry, undefined> {
    for (const metrics of this.#byMember.values()) yield* metrics.values();
    return undefined;
  }
}
