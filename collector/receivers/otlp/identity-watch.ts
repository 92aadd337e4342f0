import type { MemberOutcome } from './otlp-outcome.ts';

/** Identities that are looked at at one time; beyond that, the one that was looked at first is forgotten. */
const maxWatched = 4096;
/** A process that was restarted and its last request may contradict each other once or twice; more often, two are at work. */
const changesNeeded = 3;
/** Within this time, and told again no sooner. */
const windowMs = 600_000;

interface Watched {
  /** The connection whose points were counted last. */
  taken: WeakRef<object> | undefined;
  /** Whether somebody's points were counted since the last ones that contradict them. */
  isFresh: boolean;
  changes: number;
  sinceMs: number;
  toldMs: number;
}

/**
 * Looks for two processes with one identity: again and again one connection's points are counted, and then points come on another that are older or
 * overlap them.
 */
export class IdentityWatch {
  readonly #watched = new Map<string, Watched>();
  readonly #onConflict: (memberId: string) => void;
  readonly #nowMs: () => number;

  /** @param onConflict told of an identity that has two processes, at most every ten minutes */
  constructor(onConflict: (memberId: string) => void, nowMs: () => number = () => performance.now()) {
    this.#onConflict = onConflict;
    this.#nowMs = nowMs;
  }

  /** What came of a request's members. Costs nothing while none is contradicted. @param connection what stands for the request's connection */
  saw(members: readonly MemberOutcome[], connection: object): void {
    for (const { id, taken, contested } of members) {
      const watched = this.#watched.get(id);
      if (contested > 0) this.#contested(id, watched ?? this.#watch(id), connection);
      else if (taken > 0 && watched !== undefined) {
        watched.taken = new WeakRef(connection);
        watched.isFresh = true;
      }
    }
  }

  #contested(id: string, watched: Watched, connection: object): void {
    const nowMs = this.#nowMs();
    if (nowMs - watched.sinceMs > windowMs) {
      watched.changes = 0;
      watched.sinceMs = nowMs;
    }
    const other = watched.taken?.deref();
    if (!watched.isFresh || other === undefined || other === connection) return;
    watched.isFresh = false;
    if (++watched.changes < changesNeeded || nowMs - watched.toldMs < windowMs) return;
    watched.toldMs = nowMs;
    watched.changes = 0;
    this.#onConflict(id);
  }

  #watch(id: string): Watched {
    for (const oldest of this.#watched.keys()) {
      if (this.#watched.size < maxWatched) break;
      this.#watched.delete(oldest);
    }
    const watched = {
      taken: undefined,
      isFresh: false,
      changes: 0,
      sinceMs: this.#nowMs(),
      toldMs: Number.NEGATIVE_INFINITY,
    };
    this.#watched.set(id, watched);
    return watched;
  }
}
