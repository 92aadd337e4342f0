import type { SectionLoader } from './load-sections.ts';
import type { SnapshotChunk } from './snapshot-chunk.ts';
import type { SnapshotReader } from './snapshot-reader.ts';
import type { SnapshotWriter } from './snapshot-writer.ts';

/**
 * A part of an object's state, for both directions, made by the object itself, which has what is private. It lives as long as the object is
 * copied, since it keeps the memory of its copy.
 */
export interface SnapshotPart {
  /** Makes room for the copy, in small steps, where that is much. The copy before is lost. For who wants the next one to be quick. */
  reserve?(): Generator<void, void>;
  /** Copies it as it is now, in the place of the copy before. */
  take(): void;
  /** Writes the copy. Begins and ends within a section, wherever a chunk may be cut. */
  write(writer: SnapshotWriter): Generator<SnapshotChunk, void>;
  /** Makes a fresh object equal to what was written. @throws SnapshotError for what cannot be; then the object is of no use */
  load(reader: SnapshotReader): Generator<void, void>;
}

/** Parts that are written together. */
export class SnapshotSection {
  readonly type: number;
  readonly #key: number;
  readonly #version: number;
  readonly #parts: readonly SnapshotPart[];
  readonly #check: (reader: SnapshotReader) => void;
  #isLoaded = false;

  /** @param check called when all parts are loaded: holds them against one another. Throws a SnapshotError */
  constructor(
    type: number,
    key: number,
    version: number,
    parts: readonly SnapshotPart[],
    check: (reader: SnapshotReader) => void = () => {},
  ) {
    this.type = type;
    this.#key = key;
    this.#version = version;
    this.#parts = parts;
    this.#check = check;
  }

  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  *reserve(): Generator<void, void> {
    for (const part of this.#parts) if (part.reserve !== undefined) yield* part.reserve();
  }

  take(): void {
    for (const part of this.#parts) part.take();
  }

  *write(writer: SnapshotWriter): Generator<SnapshotChunk, void> {
    writer.begin(this.type, this.#key, this.#version);
    for (const part of this.#parts) yield* part.write(writer);
    yield writer.end();
  }

  readonly load: SectionLoader = (reader) => this.#load(reader);

  *#load(reader: SnapshotReader): Generator<void, void> {
    reader.expectVersion(this.#version);
    for (const part of this.#parts) yield* part.load(reader);
    this.#check(reader);
    this.#isLoaded = true;
  }
}
