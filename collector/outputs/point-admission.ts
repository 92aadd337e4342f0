interface Owner {
  readonly id: string;
  points: number;
}

/**
 * Whether a new point may be made under a cardinality limit. One place is for the overflow series. Where members are joined, the last tenth
 * of the others is kept for members that have made fewer than their fair share, places / (members + 1), so that one whose attributes
 * explode leaves room for the rest and for the next to come.
 */
export class PointAdmission {
  readonly #limit: number;
  readonly #reserve: number;
  readonly #owners = new Map<string, Owner>();
  readonly #makers: (Owner | undefined)[] = [];

  constructor(limit: number | undefined, isShared: boolean) {
    this.#limit = limit === undefined ? Infinity : limit - 1;
    this.#reserve = isShared && limit !== undefined ? Math.floor(this.#limit / 10) : 0;
  }

  /** Whether this owner may make one more, with so many points there, the overflow series included if there is one. */
  admits(id: string, points: number, hasOverflow: boolean): boolean {
    const used = hasOverflow ? points - 1 : points;
    if (used < this.#limit - this.#reserve) return true;
    if (used >= this.#limit) return false;
    const owner = this.#owners.get(id);
    if (owner === undefined) return true;
    return owner.points < this.#limit / (this.#owners.size + 1);
  }

  /** Whether so many points are about all there may be. */
  isTight(points: number): boolean {
    return points >= this.#limit - this.#reserve;
  }

  /** A point has been made at this place, the last one. An empty owner: nobody's. */
  enter(point: number, id: string): void {
    if (this.#limit === Infinity) return;
    let owner = id === '' ? undefined : this.#owners.get(id);
    if (owner === undefined && id !== '') {
      owner = { id, points: 0 };
      this.#owners.set(id, owner);
    }
    if (owner !== undefined) owner.points++;
    this.#makers[point] = owner;
  }

  /** Whose point it is; empty: nobody's, and without a limit all are. */
  ownerOf(point: number): string {
    return this.#makers[point]?.id ?? '';
  }

  leave(point: number): void {
    const owner = this.#makers[point];
    if (owner !== undefined && --owner.points === 0) this.#owners.delete(owner.id);
  }

  move(from: number, to: number): void {
    if (this.#limit !== Infinity) this.#makers[to] = this.#makers[from];
  }

  truncate(size: number): void {
    if (this.#makers.length > size) this.#makers.length = size;
  }
}
