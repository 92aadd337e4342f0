import type { Outgoing } from './outgoing.ts';

interface Named {
  readonly outgoing: Outgoing;
  streams: number;
}

/**
 * Which kinds of streams leave under a name within a scope, over all resources: few have more than one, so that only those few need be
 * compared within a resource. Costs nothing per stream.
 */
export class StreamNames {
  readonly #names = new Map<string, Map<string, Named>>();

  /** One more stream. Gives the others that leave under its name in some resource. */
  add(scopeId: string, outgoing: Outgoing): Outgoing[] {
    const key = nameKey(scopeId, outgoing.nameKey);
    let named = this.#names.get(key);
    if (named === undefined) {
      named = new Map();
      this.#names.set(key, named);
    }
    const held = named.get(outgoing.streamId);
    if (held === undefined) named.set(outgoing.streamId, { outgoing, streams: 1 });
    else held.streams++;
    if (named.size === 1) return [];
    return [...named.values()].flatMap(({ outgoing: other }) =>
      other.streamId === outgoing.streamId ? [] : [other],
    );
  }

  /** One stream less. */
  remove(scopeId: string, name: string, streamId: string): void {
    const key = nameKey(scopeId, name.toLowerCase());
    const named = this.#names.get(key);
    const held = named?.get(streamId);
    if (named === undefined || held === undefined || --held.streams > 0) return;
    named.delete(streamId);
    if (named.size === 0) this.#names.delete(key);
  }
}

function nameKey(scopeId: string, name: string): string {
  return `${scopeId}\n${name}`;
}
