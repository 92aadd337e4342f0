import { maxKnownBytes } from './known-bytes.ts';
import type { WireCursor } from './wire-cursor.ts';

/** One longer than what is kept, so that such a key is seen to be too long. */
const roomBytes = maxKnownBytes + 1;

/**
 * The bytes that tell what a point or header is of: the fields of a message that say so, without those that change from request to request.
 * Nearly every sender writes them next to each other, and they stay where they are; otherwise they are gathered in a room of their own. Valid
 * until the next one.
 */
export class KeyBytes {
  view: DataView = new DataView(new ArrayBuffer(0));
  start = 0;
  end = 0;
  readonly #room = new DataView(new ArrayBuffer(roomBytes));
  readonly #bytes = new Uint8Array(this.#room.buffer);

  /** They lie together in the request. */
  within(cursor: WireCursor, start: number, end: number): void {
    this.view = cursor.view;
    this.start = start;
    this.end = end;
  }

  /** Those fields of a message, which has been walked before, that are wanted. */
  gather(cursor: WireCursor, start: number, end: number, isWanted: (field: number) => boolean): void {
    this.begin();
    cursor.at = start;
    while (cursor.at < end) {
      const from = cursor.at;
      const tag = cursor.tag(end);
      cursor.skip(tag, end);
      if (isWanted(tag >>> 3)) this.append(cursor, from, cursor.at);
    }
  }

  /** An empty room, to append to. */
  begin(): void {
    this.view = this.#room;
    this.start = 0;
    this.end = 0;
  }

  /** A byte of one's own between what is appended. */
  mark(byte: number): void {
    if (this.end < roomBytes) this.#bytes[this.end++] = byte;
  }

  append(cursor: WireCursor, start: number, end: number): void {
    const length = Math.min(end - start, roomBytes - this.end);
    this.#bytes.set(cursor.bytes.subarray(start, start + length), this.end);
    this.end += length;
  }
}
