import { longestTurnMs, nextTurn } from '../turns.ts';
import type { SnapshotChunk } from './snapshot-chunk.ts';
import { SnapshotError } from './snapshot-error.ts';
import { SnapshotReader } from './snapshot-reader.ts';

/** Loads one section: begins with its first chunk in the reader, and yields where the next is needed. `reader.key` tells which one it is. */
export type SectionLoader = (reader: SnapshotReader) => Generator<void, void>;

/** Loads sections from their chunks, in order. Each type of section has a loader. */
export class SectionsLoading {
  readonly #loaders: ReadonlyMap<number, SectionLoader>;
  readonly #reader = new SnapshotReader();
  #loading: Generator<void, void> | undefined;
  readonly #seen = new Set<string>();

  constructor(loaders: ReadonlyMap<number, SectionLoader>) {
    this.#loaders = loaders;
  }

  /** @throws SnapshotError for whatever is wrong; then nothing that was loaded is of use */
  take(chunk: SnapshotChunk): void {
    const reader = this.#reader;
    if (reader.take(chunk)) this.#begin();
    if (this.#loading?.next().done === true) this.#loading = undefined;
    if (this.#loading === undefined) {
      if (!reader.isSpent) throw reader.error(`${reader.left} bytes are left after the end`);
    } else if (reader.isLast) throw reader.error('ends too early');
  }

  /** After the last chunk. @throws SnapshotError when a section has not ended */
  end(): void {
    const { type, key, isLast } = this.#reader;
    if (!isLast) throw new SnapshotError('is cut off: its last chunk is missing', { type, key });
  }

  #begin(): void {
    const reader = this.#reader;
    const { type, key } = reader;
    const loader = this.#loaders.get(type);
    if (loader === undefined)
      throw reader.error(
        `sections of type ${type} are not known; a later version of this program may have written it`,
      );
    const name = `${type}/${key}`;
    if (this.#seen.has(name)) throw reader.error('comes twice');
    this.#seen.add(name);
    this.#loading = loader(reader);
  }
}

/** Loads all sections of a snapshot, in turns. @throws SnapshotError for whatever is wrong with them, and what the source of chunks throws */
export async function loadSections(
  chunks: AsyncIterable<SnapshotChunk> | Iterable<SnapshotChunk>,
  loaders: ReadonlyMap<number, SectionLoader>,
): Promise<void> {
  const loading = new SectionsLoading(loaders);
  let began = performance.now();
  for await (const chunk of chunks) {
    loading.take(chunk);
    if (performance.now() - began < longestTurnMs) continue;
    await nextTurn();
    began = performance.now();
  }
  loading.end();
}

/** The chunks of a snapshot, made in turns: who waits for the event loop waits for no more than one of them. */
export async function* chunksInTurns(chunks: Iterable<SnapshotChunk>): AsyncGenerator<SnapshotChunk, void> {
  let began = performance.now();
  for (const chunk of chunks) {
    yield chunk;
    if (performance.now() - began < longestTurnMs) continue;
    await nextTurn();
    began = performance.now();
  }
}
