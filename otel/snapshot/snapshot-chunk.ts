/**
 * A piece of a section. A section is one part of the state: its chunks, in order and with no others between, have the same type and
 * key. `bytes` is valid until the next chunk is asked for.
 */
export interface SnapshotChunk {
  /** What the section is of, 1 to 2^32 - 1: its owner's own number. */
  readonly type: number;
  /** Which one of its type, 0 to 2^53 - 1. */
  readonly key: number;
  readonly bytes: Uint8Array;
}

/*
 * The bytes of a chunk: flags, one byte; a varint: in the first chunk of a section the version of its format, in others how many came
 * before; then what the section's owner wrote. Nothing that was written by one call of the writer is in two chunks.
 */
export const firstFlag = 1;
export const lastFlag = 2;

/** A chunk is ended when it has so many bytes: with one more piece of a column it still has at most 96 KiB. What it holds is written within a few milliseconds. */
export const fullChunkBytes = 63 * 1024;
/** Of a column, so many bytes at most are written at a time. */
export const maxPieceBytes = 32 * 1024;
/** One string or byte array has at most so many bytes: more than any message that it can have come in. */
export const maxTextBytes = 48 * 2 ** 20;
/** A section remembers so many strings, of up to so many UTF-16 units each: see {@link SnapshotWriter.text}. */
export const maxRememberedTexts = 65_536;
export const maxRememberedLength = 64;
