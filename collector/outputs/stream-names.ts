import type { InstrumentationScope } from '../../otel/model/scope.ts';
import type { Outgoing } from './outgoing.ts';

interface Named {
  readonly outgoing: Outgoing;
  streams: number;
}

interface NamedKinds {
  readonly scopeId: string;
  readonly scope: InstrumentationScope;
  /** By their ids. */
  readonly kinds: Map<string, Named>;
}

/** What leaves under a name within a scope: see {@link StreamNames.kinds}. */
export interface NamedKind {
  readonly scopeId: string;
  readonly scope: InstrumentationScope;
  readonly outgoing: Outgoing;
}

/**
 * Which kinds of streams leave under a name within a scope, over all resources: few have more than one, so that only those few need be
 * compared within a resource. Costs nothing per stream.
 */
export class StreamNames {
  readonly #names = new Map<string, NamedKinds>();

  /** One more stream. Gives the others that leave under its name in some resource. */
  add(scopeId: string, scope: InstrumentationScope, outgoing: Outgoing): Outgoing[] {
    const kinds = this.#kinds(scopeId, scope, outgoing);
    const held = kinds.get(outgoing.streamId);
    if (held === undefined) kinds.set(outgoing.streamId, { outgoing, streams: 1 });
    else held.streams++;
    if (kinds.size === 1) return [];
    return [...kinds.values()].flatMap(({ outgoing: other }) =>
      other.streamId === outgoing.streamId ? [] : [other],
    );
  }

  /** One stream less. */
  remove(scopeId: string, name: string, streamId: string): void {
    const key = nameKey(scopeId, name.toLowerCase());
    const named = this.#names.get(key);
    const held = named?.kinds.get(streamId);
    if (named === undefined || held === undefined || --held.streams > 0) return;
    named.kinds.delete(streamId);
    if (named.kinds.size === 0) this.#names.delete(key);
  }

  /** All there are, in an order in which {@link StreamNames.put} makes the same of them again. */
  *kinds(): Generator<NamedKind, void> {
    for (const { scopeId, scope, kinds } of this.#names.values())
      for (const { outgoing } of kinds.values()) yield { scopeId, scope, outgoing };
  }

  /** The kind of a stream that leaves under a name. */
  kindOf(scopeId: string, name: string, streamId: string): Outgoing {
    return this.#names.get(nameKey(scopeId, name.toLowerCase()))!.kinds.get(streamId)!.outgoing;
  }

  /** So many streams of a kind that has none. */
  put({ scopeId, scope, outgoing }: NamedKind, streams: number): void {
    this.#kinds(scopeId, scope, outgoing).set(outgoing.streamId, { outgoing, streams });
  }

  #kinds(scopeId: string, scope: InstrumentationScope, outgoing: Outgoing): Map<string, Named> {
    const key = nameKey(scopeId, outgoing.nameKey);
    let named = this.#names.get(key);
    if (named === undefined) {
      named = { scopeId, scope, kinds: new Map() };
      this.#names.set(key, named);
    }
    return named.kinds;
  }
}

function nameKey(scopeId: string, name: string): string {
  return `${scopeId}\n${name}`;
}
