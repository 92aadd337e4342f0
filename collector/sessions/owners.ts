/** A stream that speaks for a member, as far as ownership is concerned. */
export interface OwningStream {
  readonly incarnation: string;
  /** The last report that was merged. */
  readonly lastReport: number;
  /** Where the peer is, for logs and for the peer that is turned away. */
  readonly peer: string;
  /** Ends the stream, because another one has taken its place. */
  displace(by: string): void;
}

/** Who speaks for a member, and who has spoken for it. Never changed: another one takes its place. */
export interface Owner {
  readonly bootId: string;
  /** The last report of each incarnation seen, the latest incarnation last. */
  readonly incarnations: ReadonlyMap<string, number>;
  readonly live: OwningStream | undefined;
}

export type Claim =
  | { readonly granted: true; readonly lastReport: number; readonly displaced: OwningStream | undefined }
  | { readonly granted: false; readonly holder: OwningStream };

/** Of one member. */
export const rememberedIncarnations = 16;

/**
 * One owner for each member id. A second live stream takes over when it is the same incarnation, whose old connection we have not seen die, or
 * one never seen before from the same boot: the agent was started again. Any other is a second agent with the same id, a cloned
 * disk for one, and is turned away while the first one lives. DESIGN: "The wire".
 */
export class Owners {
  readonly #byMember = new Map<string, Owner>();

  claim(memberId: string, bootId: string, stream: OwningStream): Claim {
    const owner = this.#byMember.get(memberId);
    const live = owner?.live;
    if (owner !== undefined && live !== undefined) {
      const isSame = live.incarnation === stream.incarnation;
      const isSuccessor =
        !owner.incarnations.has(stream.incarnation) && bootId !== '' && bootId === owner.bootId;
      if (!isSame && !isSuccessor) return { granted: false, holder: live };
    }
    const incarnations = new Map(owner?.incarnations);
    // A stream that lives has not told its last report yet: that comes with its release.
    const told = live?.incarnation === stream.incarnation ? live.lastReport : 0;
    const lastReport = Math.max(told, incarnations.get(stream.incarnation) ?? 0);
    incarnations.delete(stream.incarnation);
    incarnations.set(stream.incarnation, lastReport);
    for (const oldest of incarnations.keys()) {
      if (incarnations.size <= rememberedIncarnations) break;
      incarnations.delete(oldest);
    }
    this.#byMember.set(memberId, { bootId, incarnations, live: stream });
    return { granted: true, lastReport, displaced: live };
  }

  /** The stream has ended, and up to here its reports were merged. */
  release(memberId: string, stream: OwningStream, lastReport: number): void {
    const owner = this.#byMember.get(memberId);
    if (owner === undefined) return;
    const before = owner.incarnations.get(stream.incarnation);
    const incarnations = new Map(owner.incarnations);
    if (before !== undefined && before < lastReport) incarnations.set(stream.incarnation, lastReport);
    const live = owner.live === stream ? undefined : owner.live;
    this.#byMember.set(memberId, { bootId: owner.bootId, incarnations, live });
  }

  /** Whether a stream speaks for the member at present. */
  isLive(memberId: string): boolean {
    return this.#byMember.get(memberId)?.live !== undefined;
  }

  /** The member was evicted. */
  forget(memberId: string): void {
    if (this.#byMember.get(memberId)?.live === undefined) this.#byMember.delete(memberId);
  }

  get(memberId: string): Owner | undefined {
    return this.#byMember.get(memberId);
  }

  /** By member id, at this moment. */
  capture(): { readonly memberIds: readonly string[]; readonly owners: readonly Owner[] } {
    return { memberIds: [...this.#byMember.keys()], owners: [...this.#byMember.values()] };
  }

  /** Puts back what {@link Owners.capture} gave, or makes it live again. */
  restore(memberId: string, owner: Owner): void {
    this.#byMember.set(memberId, owner);
  }
}
