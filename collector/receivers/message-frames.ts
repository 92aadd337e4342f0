import type { MessageRooms } from './message-rooms.ts';

/** The flag and the length before each message. */
export const framePrefixBytes = 5;
const lengthOffset = 1;
/** What is made room for before it is known how long a message will be, or while little of it has come. */
const leastRoom = 256;

/** A message is longer than allowed. */
export class FrameTooLongError extends Error {
  override readonly name = 'FrameTooLongError';
}

/**
 * Takes gRPC's length-prefixed messages out of the bytes of a stream, however they were cut. A message that comes in one piece, as
 * nearly all do, is not copied. One that comes in pieces is gathered in a buffer of at most twice what has come, so that a length that is
 * declared and never sent costs nothing.
 */
export class MessageFrames {
  /** Whether the last message that `next` gave is compressed. */
  isCompressed = false;
  readonly #maxBytes: number;
  readonly #rooms: MessageRooms | undefined;
  /** Of the last message that was given: a room that is had back. */
  #lent: Buffer | undefined;
  #chunk: Buffer | undefined;
  #at = 0;
  /** The message that has come in part, with its prefix, in the first `#gathered` bytes. */
  #parts: Buffer | undefined;
  #gathered = 0;

  /**
   * @param maxBytes what a message may have, without its prefix
   * @param rooms where messages are gathered; without them each has a buffer of its own
   */
  constructor(maxBytes: number, rooms?: MessageRooms) {
    this.#maxBytes = maxBytes;
    this.#rooms = rooms;
  }

  /** Gives the next bytes of the stream. Those before must have been read up with {@link next}. */
  push(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  /** Memory that is taken by what has come and was not given yet. */
  get heldBytes(): number {
    return (this.#parts?.length ?? 0) + (this.#chunk === undefined ? 0 : this.#chunk.length - this.#at);
  }

  /** Nobody uses the last message any more, where there are rooms. */
  release(): void {
    if (this.#lent !== undefined) this.#rooms!.give(this.#lent);
    this.#lent = undefined;
  }

  /** Forgets what has come. */
  clear(): void {
    this.#chunk = undefined;
    this.#parts = undefined;
  }

  /**
   * The next message, without its prefix, or `undefined` when more bytes are needed.
   * @throws FrameTooLongError as soon as the length is known; there is no way on then
   */
  next(): Buffer | undefined {
    const chunk = this.#chunk;
    if (chunk === undefined) return undefined;
    if (this.#parts !== undefined) return this.#gather(chunk);
    const start = this.#at;
    if (chunk.length - start >= framePrefixBytes) {
      const end = start + framePrefixBytes + this.#lengthAt(chunk, start);
      if (end <= chunk.length) {
        this.#advance(chunk, end);
        this.isCompressed = chunk[start] === 1;
        return chunk.subarray(start + framePrefixBytes, end);
      }
    }
    if (start === chunk.length) this.#chunk = undefined;
    else {
      this.#gathered = 0;
      this.#parts = this.#room(Math.max(leastRoom, chunk.length - start));
      this.#take(chunk, chunk.length - start);
    }
    return undefined;
  }

  /** Goes on with a message of which a part has come. */
  #gather(chunk: Buffer): Buffer | undefined {
    if (this.#gathered < framePrefixBytes) this.#take(chunk, framePrefixBytes - this.#gathered);
    if (this.#gathered < framePrefixBytes) return undefined;
    const frameBytes = framePrefixBytes + this.#lengthAt(this.#parts!, 0);
    this.#take(chunk, frameBytes - this.#gathered);
    const parts = this.#parts!;
    if (this.#gathered < frameBytes) return undefined;
    this.#parts = undefined;
    if (this.#rooms !== undefined) this.#lent = parts;
    this.isCompressed = parts[0] === 1;
    return parts.subarray(framePrefixBytes, frameBytes);
  }

  /** Moves up to so many bytes from the chunk to the parts. */
  #take(chunk: Buffer, bytes: number): void {
    const end = Math.min(chunk.length, this.#at + bytes);
    const gathered = this.#gathered + end - this.#at;
    let parts = this.#parts!;
    if (gathered > parts.length) {
      const grown = this.#room(
        Math.max(gathered, Math.min(2 * parts.length, this.#maxBytes + framePrefixBytes)),
      );
      parts.copy(grown, 0, 0, this.#gathered);
      this.#rooms?.give(parts);
      this.#parts = parts = grown;
    }
    chunk.copy(parts, this.#gathered, this.#at, end);
    this.#gathered = gathered;
    this.#advance(chunk, end);
  }

  #room(bytes: number): Buffer {
    return this.#rooms?.take(bytes) ?? Buffer.allocUnsafe(bytes);
  }

  #advance(chunk: Buffer, to: number): void {
    this.#at = to;
    if (to === chunk.length) this.#chunk = undefined;
  }

  #lengthAt(bytes: Buffer, start: number): number {
    const length = bytes.readUInt32BE(start + lengthOffset);
    if (length > this.#maxBytes)
      throw new FrameTooLongError(`Received message larger than max (${length} vs ${this.#maxBytes})`);
    return length;
  }
}

/** A message that is not compressed, with its prefix. */
export function frameOf(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(framePrefixBytes + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, lengthOffset);
  frame.set(message, framePrefixBytes);
  return frame;
}
