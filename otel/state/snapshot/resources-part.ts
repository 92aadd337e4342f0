import { type Resource, resourceKey } from '../../model/resource.ts';
import type { SnapshotChunk } from '../../snapshot/snapshot-chunk.ts';
import type { SnapshotPart } from '../../snapshot/snapshot-part.ts';
import type { SnapshotReader } from '../../snapshot/snapshot-reader.ts';
import type { SnapshotWriter } from '../../snapshot/snapshot-writer.ts';
import type { HeldResource } from '../interned-resources.ts';
import { readFree, writeFree } from './free-numbers.ts';

/** Resources by number. Who holds them is not written. */
export class ResourcesPart implements SnapshotPart {
  readonly #held: (HeldResource | undefined)[];
  readonly #freeNumbers: number[];
  readonly #byKey: Map<string, HeldResource>;
  #copy: readonly (HeldResource | undefined)[] = [];
  #free: readonly number[] = [];

  constructor(held: (HeldResource | undefined)[], freeNumbers: number[], byKey: Map<string, HeldResource>) {
    this.#held = held;
    this.#freeNumbers = freeNumbers;
    this.#byKey = byKey;
  }

  take(): void {
    this.#copy = this.#held.slice();
    this.#free = this.#freeNumbers.slice();
  }

  *write(writer: SnapshotWriter): Generator<SnapshotChunk, void> {
    yield* writeFree(writer, this.#copy.length, this.#free);
    for (const held of this.#copy) {
      if (held === undefined) continue;
      writer.attributes(held.resource.attributes);
      writer.text(held.resource.schemaUrl);
      if (writer.isFull) yield writer.cut();
    }
    this.#copy = [];
  }

  *load(reader: SnapshotReader): Generator<void, void> {
    const { isFree, length } = yield* readFree(reader, this.#freeNumbers, 0, 'resources');
    for (let number = 0; number < length; number++) {
      if (isFree(number)) {
        this.#held.push(undefined);
        continue;
      }
      while (reader.isSpent) yield;
      const resource: Resource = { attributes: reader.attributes(), schemaUrl: reader.text() };
      const key = resourceKey(resource);
      if (this.#byKey.has(key)) throw reader.error(`resource ${number} is the same as one before`);
      const held: HeldResource = { number, key, resource, holders: 0 };
      this.#held.push(held);
      this.#byKey.set(key, held);
    }
  }
}
