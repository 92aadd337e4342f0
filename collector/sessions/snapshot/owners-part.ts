import type { SnapshotChunk } from '../../../otel/snapshot/snapshot-chunk.ts';
import type { SnapshotPart } from '../../../otel/snapshot/snapshot-part.ts';
import type { SnapshotReader } from '../../../otel/snapshot/snapshot-reader.ts';
import type { SnapshotWriter } from '../../../otel/snapshot/snapshot-writer.ts';
import { type Owners, rememberedIncarnations } from '../owners.ts';

/**
 * Who has spoken for each member: boot ids and the last reports of incarnations. Who speaks for them at present follows from the sessions. The format
 * is in docs/checkpoint.md, "Owners".
 */
export class OwnersPart implements SnapshotPart {
  readonly #owners: Owners;
  #capture: ReturnType<Owners['capture']> = { memberIds: [], owners: [] };

  constructor(owners: Owners) {
    this.#owners = owners;
  }

  /** Copies references: an owner is never changed. */
  take(): void {
    this.#capture = this.#owners.capture();
  }

  *write(writer: SnapshotWriter): Generator<SnapshotChunk, void> {
    const { memberIds, owners } = this.#capture;
    writer.varint(memberIds.length);
    for (const [i, memberId] of memberIds.entries()) {
      if (writer.isFull) yield writer.cut();
      const { bootId, incarnations } = owners[i]!;
      writer.string(memberId);
      writer.text(bootId);
      writer.varint(incarnations.size);
      for (const [incarnation, lastReport] of incarnations) {
        writer.string(incarnation);
        writer.varint(lastReport);
      }
    }
    if (writer.isFull) yield writer.cut();
  }

  /** Into owners that are empty. @throws SnapshotError for what owners cannot have been */
  *load(reader: SnapshotReader): Generator<void, void> {
    const owners = this.#owners;
    const count = reader.varint(Number.MAX_SAFE_INTEGER, 'a count of owners');
    for (let i = 0; i < count; i++) {
      if (reader.isSpent) yield;
      const memberId = reader.string();
      if (owners.get(memberId) !== undefined)
        throw reader.error(`the owner of ${JSON.stringify(memberId)} comes twice`);
      const bootId = reader.text();
      const incarnations = new Map<string, number>();
      const size = reader.varint(rememberedIncarnations, 'a count of incarnations');
      for (let j = 0; j < size; j++) incarnations.set(reader.string(), reader.varint());
      if (incarnations.size !== size)
        throw reader.error(`an incarnation of ${JSON.stringify(memberId)} comes twice`);
      owners.restore(memberId, { bootId, incarnations, live: undefined });
    }
  }
}
