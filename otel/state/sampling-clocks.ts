import { StreamgaugeError } from '../../proto/error.ts';
import type { Member } from './members.ts';
import { ClocksPart } from './snapshot/clocks-part.ts';

/** Sampling groups of one member, over all its streams. An agent has a few, under the same numbers each time. */
const maxClocks = 4096;

/** The times of sampling groups, by clock: microseconds since the Unix epoch by the source; 0: not yet. Clock 0 is nobody's. */
export class SamplingClocks {
  timesUs = new Float64Array(64);
  readonly #free: number[] = [];
  #count = 1;

  /** Clocks in use. */
  get size(): number {
    return this.#count - 1 - this.#free.length;
  }

  /** The clock of a member's sampling group. @throws StreamgaugeError `overloaded` when the member has too many groups */
  of(member: Member, group: number): number {
    const known = member.clocks.get(group);
    if (known !== undefined) return known;
    if (member.clocks.size >= maxClocks)
      throw new StreamgaugeError(
        'overloaded',
        `member "${member.id}" has used ${maxClocks} sampling groups; no more are kept, so use the same numbers on each stream`,
      );
    const clock = this.acquire();
    member.clocks.set(group, clock);
    return clock;
  }

  /** A clock that is nobody's, for a series that is not sampled together with others. It is the caller's until {@link SamplingClocks.free}. */
  acquire(): number {
    const clock = this.#free.pop() ?? this.#count++;
    if (clock >= this.timesUs.length) {
      const grown = new Float64Array(this.timesUs.length * 2);
      grown.set(this.timesUs);
      this.timesUs = grown;
    }
    this.timesUs[clock] = 0;
    return clock;
  }

  /** Gives back what {@link SamplingClocks.acquire} gave. */
  free(clock: number): void {
    this.#free.push(clock);
  }

  /** Whether there is such a clock, in use or free. */
  has(clock: number): boolean {
    return clock < this.#count;
  }

  /** For a snapshot. */
  snapshotPart(): ClocksPart {
    return new ClocksPart(this.#free, {
      get: () => ({ timesUs: this.timesUs, count: this.#count }),
      set: ({ timesUs, count }) => {
        this.timesUs = timesUs;
        this.#count = count;
      },
    });
  }

  release(member: Member): void {
    for (const clock of member.clocks.values()) this.#free.push(clock);
    member.clocks.clear();
  }
}
