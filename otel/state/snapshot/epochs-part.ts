import type { SnapshotChunk } from '../../snapshot/snapshot-chunk.ts';
import type { SnapshotPart } from '../../snapshot/snapshot-part.ts';
import type { SnapshotReader } from '../../snapshot/snapshot-reader.ts';
import type { SnapshotWriter } from '../../snapshot/snapshot-writer.ts';
import { readFree, writeFree } from './free-numbers.ts';

/** What epochs are held in. Number 0 is no epoch, and always there. */
export interface HeldEpochs {
  readonly tokens: (string | undefined)[];
  readonly holders: number[];
  readonly free: number[];
  readonly numbers: Map<string, number>;
}

/** The tokens of epochs by number. Who holds them is not written. */
export class EpochsPart implements SnapshotPart {
  readonly #held: HeldEpochs;
  #tokens: readonly (string | undefined)[] = [];
  #free: readonly number[] = [];

  constructor(held: HeldEpochs) {
    this.#held = held;
  }

  take(): void {
    this.#tokens = this.#held.tokens.slice();
    this.#free = this.#held.free.slice();
  }

  *write(writer: SnapshotWriter): Generator<SnapshotChunk, void> {
    yield* writeFree(writer, this.#tokens.length, this.#free);
    for (let number = 1; number < this.#tokens.length; number++) {
      const token = this.#tokens[number];
      if (token === undefined) continue;
      writer.string(token);
      if (writer.isFull) yield writer.cut();
    }
    this.#tokens = [];
  }

  *load(reader: SnapshotReader): Generator<void, void> {
    const { tokens, holders, free, numbers } = this.#held;
    const { isFree, length } = yield* readFree(reader, free, 1, 'epochs');
    for (let number = 1; number < length; number++) {
      if (isFree(number)) {
        tokens.push(undefined);
        holders.push(0);
        continue;
      }
      while (reader.isSpent) yield;
      const token = reader.string();
      if (token === '' || numbers.has(token))
        throw reader.error(`the epoch ${JSON.stringify(token)} comes twice`);
      tokens.push(token);
      holders.push(0);
      numbers.set(token, number);
    }
  }
}
