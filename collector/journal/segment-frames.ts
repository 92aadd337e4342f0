import { type FrameHeader, frameHeaderBytes, frameMagicBytes, framePosition, readFrame } from './frame.ts';
import { type SegmentHeader, segmentHeaderBytes } from './segment-header.ts';

/** What comes from outside may look like the beginnings of many frames: looking for a true one ends after so many bytes. */
const maxResyncBytes = 2 ** 30;

/** A frame that continues what was read before it. */
export interface PlacedFrame extends FrameHeader {
  readonly offset: number;
  readonly body: Buffer;
}

/** Where reading ended: at the end of the bytes, or at a place where no frame continues what was before. */
export type FrameStop = 'end' | 'cut' | 'bad';

/** Walks the frames of a segment whose bytes are in memory. */
export class SegmentFrames {
  readonly #bytes: Buffer;
  readonly #header: SegmentHeader;
  #offset = segmentHeaderBytes;
  #position: number;
  #previous: number;

  constructor(bytes: Buffer, header: SegmentHeader) {
    this.#bytes = bytes;
    this.#header = header;
    this.#position = header.firstPosition;
    this.#previous = header.previous;
  }

  /** Of the file: where the next frame begins. */
  get offset(): number {
    return this.#offset;
  }

  /** Of the journal: behind the last record of the frames read. */
  get position(): number {
    return this.#position;
  }

  /** The checksum of the last frame read. */
  get previous(): number {
    return this.#previous;
  }

  /** Another one at the same place. */
  fork(): SegmentFrames {
    const other = new SegmentFrames(this.#bytes, this.#header);
    other.#offset = this.#offset;
    other.#position = this.#position;
    other.#previous = this.#previous;
    return other;
  }

  next(): PlacedFrame | FrameStop {
    if (this.#offset === this.#bytes.length) return 'end';
    const frame = readFrame(this.#bytes, this.#offset, this.#header.salt);
    if (typeof frame === 'string') return frame;
    if (frame.previous !== this.#previous || frame.position !== this.#position) return 'bad';
    return this.#take(frame);
  }

  /**
   * Looks behind a bad place for the next frame of this segment that is whole, wherever it continues, and goes on from there.
   *
   * @returns whether there is one
   */
  resync(): boolean {
    const from = this.#offset;
    let effort = 0;
    for (let at = from + 1; effort < maxResyncBytes; at++) {
      at = this.#bytes.indexOf(frameMagicBytes, at);
      if (at < 0) return false;
      // Positions count bytes of the file, so it cannot be further on.
      const position = framePosition(this.#bytes, at);
      if (!(position >= this.#position && position <= this.#position + at - from)) continue;
      const frame = readFrame(this.#bytes, at, this.#header.salt);
      if (typeof frame === 'string') {
        if (frame === 'bad') effort += this.#bytes.length - at;
        continue;
      }
      this.#offset = at;
      this.#position = frame.position;
      this.#previous = frame.previous;
      return true;
    }
    return false;
  }

  /** How far the journal had been committed, by all whole frames from here on; -1 when there are none. */
  committedByRest(): number {
    let committed = -1;
    do {
      for (let frame = this.next(); typeof frame !== 'string'; frame = this.next())
        committed = Math.max(committed, frame.committed);
    } while (this.resync());
    return committed;
  }

  #take(frame: FrameHeader): PlacedFrame {
    const offset = this.#offset;
    const bodyAt = offset + frameHeaderBytes;
    this.#offset = bodyAt + frame.bodyBytes;
    this.#position += frame.bodyBytes;
    // The frame of an orderly end is no link of the chain: reading a segment up to where the next one begins does not come by it.
    if (frame.bodyBytes > 0) this.#previous = frame.checksum;
    return { ...frame, offset, body: this.#bytes.subarray(bodyAt, this.#offset) };
  }
}
