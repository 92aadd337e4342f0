/** Who speaks for a member id: docs/protocol.md, "Hello". */
interface Owner {
  bootId: string;
  /** The run that holds the stream; `undefined`: none does. */
  live: number | undefined;
  readonly seen: Set<number>;
}

export type Claim = 'welcome' | 'takeover' | 'clone';

/** One live stream for each member id. A second one takes over if it is the same run, or one never seen from the same boot; any other is a clone. */
export class ModelOwners {
  readonly #owners = new Map<string, Owner>();

  claim(id: string, incarnation: number, bootId: string): Claim {
    const owner = this.#owners.get(id);
    const isHeld = owner?.live !== undefined;
    if (owner !== undefined && isHeld && owner.live !== incarnation) {
      const isRestart = !owner.seen.has(incarnation) && owner.bootId === bootId;
      if (!isRestart) return 'clone';
    }
    const seen = owner?.seen ?? new Set();
    seen.add(incarnation);
    this.#owners.set(id, { bootId, live: incarnation, seen });
    return isHeld ? 'takeover' : 'welcome';
  }

  isHeld(id: string): boolean {
    return this.#owners.get(id)?.live !== undefined;
  }

  release(id: string): void {
    const owner = this.#owners.get(id);
    if (owner !== undefined) owner.live = undefined;
  }

  /** The member is freed, and so is what was known of its runs. */
  forget(id: string): void {
    this.#owners.delete(id);
  }
}
