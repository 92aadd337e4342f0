import { frameHeaderBytes, recordSize, sealFrame, writeRecord } from './frame.ts';

/** Buffers of this size are used again; only a record that is larger gets one of its own. */
const maxFrameBytes = 256 * 1024;
const maxSpare = 8;
/** One commit takes so much at most, so that its checksums take a millisecond or two. */
const maxCommitBytes = 8 * 2 ** 20;

interface Frame {
  readonly buffer: Buffer;
  /** Of the buffer, header included. */
  length: number;
  records: number;
}

/** What one commit writes, in one place of one segment. */
export interface FrameGroup {
  readonly frames: readonly Buffer[];
  readonly bytes: number;
  readonly records: number;
  /** The journal's positions before its first record and behind its last. */
  readonly begin: number;
  readonly end: number;
}

/** Records that wait to be written, copied into frames in the order of their positions. */
export class PendingFrames {
  readonly #frames: Frame[] = [];
  readonly #spare: Buffer[] = [];
  readonly #frameBytes: number;
  readonly #groupBytes: number;
  #group: { frames: readonly Frame[]; taken: FrameGroup } | undefined;
  #groupBegin: number;
  #position: number;
  #bytes = 0;

  /** `maxGroupBytes`: what fits into a segment. Only a group of one record may be larger. */
  constructor(position: number, maxGroupBytes: number) {
    this.#frameBytes = Math.min(maxFrameBytes, maxGroupBytes);
    this.#groupBytes = Math.min(maxCommitBytes, maxGroupBytes);
    this.#position = position;
    this.#groupBegin = position;
  }

  /** Behind the last record that was added. */
  get position(): number {
    return this.#position;
  }

  /** Bytes of all frames that are not released. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Copies a record of two parts. @returns the position behind it */
  add(type: number, head: Uint8Array, bytes: Uint8Array): number {
    const size = recordSize(head.length + bytes.length);
    let frame = this.#frames.at(-1);
    if (frame === undefined || frame.length + size > frame.buffer.length) {
      frame = this.#open(frameHeaderBytes + size);
      this.#frames.push(frame);
      this.#bytes += frameHeaderBytes;
    }
    frame.length = writeRecord(frame.buffer, frame.length, type, head, bytes);
    frame.records++;
    this.#bytes += size;
    this.#position += size;
    return this.#position;
  }

  /** The next frames to write, the same ones until they are released; `undefined` when there are none. */
  group(): FrameGroup | undefined {
    if (this.#group !== undefined) return this.#group.taken;
    if (this.#frames.length === 0) return undefined;
    let bytes = 0;
    let count = 0;
    while (
      count < this.#frames.length &&
      (count === 0 || bytes + this.#frames[count]!.length <= this.#groupBytes)
    )
      bytes += this.#frames[count++]!.length;
    const frames = this.#frames.splice(0, count);
    const end = this.#groupBegin + bytes - count * frameHeaderBytes;
    const taken: FrameGroup = {
      frames: frames.map(({ buffer, length }) => buffer.subarray(0, length)),
      bytes,
      records: frames.reduce((sum, { records }) => sum + records, 0),
      begin: this.#groupBegin,
      end,
    };
    this.#group = { frames, taken };
    return taken;
  }

  /** The group is written: its frames are used again. */
  release(): void {
    const { frames, taken } = this.#group!;
    this.#group = undefined;
    this.#groupBegin = taken.end;
    this.#bytes -= taken.bytes;
    for (const { buffer } of frames)
      if (buffer.length === this.#frameBytes && this.#spare.length < maxSpare) this.#spare.push(buffer);
  }

  #open(atLeast: number): Frame {
    const spare = atLeast <= this.#frameBytes ? this.#spare.pop() : undefined;
    const buffer = spare ?? Buffer.allocUnsafeSlow(Math.max(atLeast, this.#frameBytes));
    return { buffer, length: frameHeaderBytes, records: 0 };
  }
}

/** Completes the headers of a group's frames for the segment that they go into. @returns the checksum of the last one */
export function sealGroup(group: FrameGroup, salt: number, previous: number, committed: number): number {
  let position = group.begin;
  for (const frame of group.frames) {
    previous = sealFrame(frame, { salt, previous, position, committed });
    position += frame.length - frameHeaderBytes;
  }
  return previous;
}
