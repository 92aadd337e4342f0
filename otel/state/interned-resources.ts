import { type Resource, resourceKey } from '../model/resource.ts';

/** A resource kept once, whoever speaks of it. */
export interface ResourceEntry {
  readonly number: number;
  readonly key: string;
  readonly resource: Resource;
}

/** Resources under small numbers, counted by their holders. */
export class InternedResources {
  readonly #byKey = new Map<string, { entry: ResourceEntry; holders: number }>();
  readonly #entries: (ResourceEntry | undefined)[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#byKey.size;
  }

  at(number: number): ResourceEntry {
    return this.#entries[number]!;
  }

  acquire(resource: Resource): ResourceEntry {
    const key = resourceKey(resource);
    let held = this.#byKey.get(key);
    if (held === undefined) {
      const number = this.#free.pop() ?? this.#entries.length;
      held = { entry: { number, key, resource }, holders: 0 };
      this.#entries[number] = held.entry;
      this.#byKey.set(key, held);
    }
    held.holders++;
    return held.entry;
  }

  release(number: number): void {
    const entry = this.#entries[number]!;
    const held = this.#byKey.get(entry.key)!;
    if (--held.holders > 0) return;
    this.#byKey.delete(entry.key);
    this.#entries[number] = undefined;
    this.#free.push(number);
  }
}
