import { type Resource, resourceKey } from '../model/resource.ts';
import { ResourcesPart } from './snapshot/resources-part.ts';

/** A resource kept once, whoever speaks of it. */
export interface ResourceEntry {
  readonly number: number;
  readonly key: string;
  readonly resource: Resource;
}

/** A resource with how many hold it. */
export interface HeldResource extends ResourceEntry {
  holders: number;
}

/** Resources under small numbers, counted by their holders. */
export class InternedResources {
  readonly #byKey = new Map<string, HeldResource>();
  /** What an object stood for when it last came: those who define many series give the same one each time. */
  readonly #recent = new WeakMap<Resource, HeldResource>();
  readonly #held: (HeldResource | undefined)[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#byKey.size;
  }

  at(number: number): ResourceEntry {
    return this.#held[number]!;
  }

  /** The entry for this resource, with one more holder. */
  acquire(resource: Resource): ResourceEntry {
    let held = this.#recent.get(resource);
    // One without holders has been let go of, and another may stand in its place.
    if (held === undefined || held.holders === 0) {
      const key = resourceKey(resource);
      held = this.#byKey.get(key);
      if (held === undefined) {
        held = { number: this.#free.pop() ?? this.#held.length, key, resource, holders: 0 };
        this.#held[held.number] = held;
        this.#byKey.set(key, held);
      }
      this.#recent.set(resource, held);
    }
    held.holders++;
    return held;
  }

  /** One more holder of an entry that is held. */
  hold(entry: ResourceEntry): ResourceEntry {
    this.#held[entry.number]!.holders++;
    return entry;
  }

  /** Whether there is such a number. */
  has(number: number): boolean {
    return this.#held[number] !== undefined;
  }

  /** For a snapshot. Loaded ones have no holders yet. */
  snapshotPart(): ResourcesPart {
    return new ResourcesPart(this.#held, this.#free, this.#byKey);
  }

  /** Lets go of what nobody holds. For a state that has been loaded. */
  releaseUnheld(): void {
    for (const held of this.#held)
      if (held?.holders === 0) {
        held.holders = 1;
        this.release(held.number);
      }
  }

  release(number: number): void {
    const held = this.#held[number]!;
    if (--held.holders > 0) return;
    this.#byKey.delete(held.key);
    this.#held[number] = undefined;
    this.#free.push(number);
  }
}
