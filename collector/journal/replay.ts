import type { Damage, Remedy } from './damage.ts';
import type { NamedFile } from './directory-listing.ts';
import { type JournalRecord, readRecords } from './frame.ts';
import { type LoadedSegment, loadSegment } from './segment-file.ts';
import { SegmentFrames } from './segment-frames.ts';
import { segmentHeaderBytes } from './segment-header.ts';
import type { Storage } from './storage.ts';

/** A record that is whole and cannot be applied: it and all behind it are damage. */
export interface UnusableRecord {
  /** Behind it. */
  readonly position: number;
  /** Why, in words. */
  readonly what: string;
}

/**
 * Reads the records behind a position, in order, as long as each continues the one before. What cannot be read ends it: reports are differences, so
 * what follows a gap means nothing. Where it ended and why is known once all has been read.
 */
export class Replay {
  readonly #storage: Storage;
  readonly #segments: readonly NamedFile[];
  readonly #from: number;
  readonly #unusable: UnusableRecord | undefined;
  readonly #damages: Damage[] = [];
  #position: number;
  #previous = 0;
  #records = 0;

  /** `segments`: all of this directory, by ascending position. `from`: the position of the checkpoint, or 0. */
  constructor(
    storage: Storage,
    segments: readonly NamedFile[],
    from: number,
    unusable: UnusableRecord | undefined,
  ) {
    this.#unusable = unusable;
    this.#storage = storage;
    this.#segments = segments;
    this.#from = from;
    this.#position = from;
  }

  get damages(): readonly Damage[] {
    return this.#damages;
  }

  /** How many records were given out. */
  get records(): number {
    return this.#records;
  }

  /** The journal goes on from here. */
  get position(): number {
    return this.#position;
  }

  /** The checksum of the frame before that, or 0. */
  get previous(): number {
    return this.#previous;
  }

  /** Segments that hold nothing behind the checkpoint. */
  covered: readonly NamedFile[] = [];

  /** @throws the platform's error */
  async *frames(): AsyncGenerator<readonly JournalRecord[]> {
    let index = this.#segments.findLastIndex(({ position }) => position <= this.#from);
    if (index < 0) {
      const first = this.#segments[0];
      if (first !== undefined) this.#gap(first, this.#from);
      return;
    }
    this.covered = this.#segments.slice(0, index);
    let end = this.#segments[index]!.position;
    for (; index < this.#segments.length; index++) {
      const file = this.#segments[index]!;
      const next = this.#segments[index + 1];
      if (file.position !== end) return this.#gap(file, end);
      const loaded = await loadSegment(this.#storage, file);
      if (typeof loaded === 'string') return this.#unreadable(file, next, loaded);
      if (index > this.covered.length && loaded.header.previous !== this.#previous)
        return this.#unreadable(file, next, 'it does not continue the segment before it');
      const frames = new SegmentFrames(loaded.bytes, loaded.header);
      this.#previous = frames.previous;
      const isWhole = yield* this.#read(file, next, loaded, frames);
      end = frames.position;
      if (!isWhole) return;
      if (next === undefined && end <= this.#from) {
        this.covered = this.#segments;
        this.#previous = end === this.#from ? this.#previous : 0;
      }
    }
  }

  /** @returns whether what follows it can be read */
  async *#read(
    file: NamedFile,
    next: NamedFile | undefined,
    { bytes }: LoadedSegment,
    frames: SegmentFrames,
  ): AsyncGenerator<readonly JournalRecord[], boolean> {
    // What a failed disk left behind the place where the next segment goes on was written again there.
    while (next === undefined || frames.position < next.position) {
      const { position: begin, offset } = frames;
      const frame = frames.next();
      if (frame === 'end') break;
      const records = typeof frame === 'string' ? undefined : readRecords(frame.body, begin);
      if (records === undefined) {
        if (typeof frame === 'string' && this.#skips(file, frames, bytes.length)) continue;
        const stop = typeof frame === 'string' ? frame : 'bad';
        this.#ends(
          file,
          next,
          { stop, offset, position: begin, rest: bytes.subarray(offset) },
          frames.fork(),
        );
        return false;
      }
      const unusable = this.#unusable;
      if (unusable !== undefined && begin < unusable.position && unusable.position <= frames.position) {
        this.#stopBefore(file, unusable, begin, { offset, bytes: bytes.length - offset });
        return false;
      }
      if (frames.position > this.#from) {
        const fresh = begin >= this.#from ? records : this.#behindCheckpoint(file, records, begin);
        if (fresh === undefined) return false;
        this.#position = frames.position;
        this.#records += fresh.length;
        this.#previous = frames.previous;
        if (fresh.length > 0) yield fresh;
      }
      this.#previous = frames.previous;
    }
    return true;
  }

  /** Of a frame in which the checkpoint's position lies. */
  #behindCheckpoint(
    file: NamedFile,
    records: readonly JournalRecord[],
    begin: number,
  ): readonly JournalRecord[] | undefined {
    const fresh = records.filter(({ position }) => position > this.#from);
    const first = fresh[0]!;
    const startsAt = records[records.indexOf(first) - 1]?.position ?? begin;
    if (startsAt === this.#from) return fresh;
    const what = `the checkpoint's position ${this.#from} lies within a record`;
    this.#stop(file, { kind: 'corrupt', what, bytes: 0, loses: true, remedy: { action: 'move' } });
    return undefined;
  }

  /** Damage before the checkpoint's position harms nobody when the records behind that can be found. */
  #skips(file: NamedFile, frames: SegmentFrames, length: number): boolean {
    const { position, offset } = frames;
    if (position >= this.#from || offset === length) return false;
    const ahead = frames.fork();
    if (!ahead.resync() || ahead.position > this.#from) return false;
    frames.resync();
    const bytes = frames.offset - offset;
    const what = `${bytes} bytes from offset ${offset} on are not as they were written; the checkpoint covers them`;
    this.#add(file, { kind: 'corrupt', what, bytes, loses: false, remedy: { action: 'none' } }, position);
    return true;
  }

  #ends(file: NamedFile, next: NamedFile | undefined, at: BadPlace, ahead: SegmentFrames): void {
    const { stop, offset, position, rest } = at;
    const committed = next === undefined ? ahead.committedByRest() : next.position;
    const loses = committed > Math.max(position, this.#from);
    if (next === undefined && position < this.#from) this.#previous = 0;
    if (!loses) {
      const keeps = stop === 'bad' && rest.some((byte) => byte !== 0);
      const what = `its last ${rest.length} bytes, from offset ${offset} on, are no whole commit`;
      const remedy: Remedy = { action: 'cut', offset, keeps };
      this.#add(file, { kind: 'torn', what, bytes: rest.length, loses, remedy }, position);
      return;
    }
    const how = stop === 'cut' ? 'it ends within a commit' : 'bytes are not those that were written';
    const what = `${how}, at offset ${offset} of ${offset + rest.length}`;
    const remedy: Remedy = { action: 'cut', offset, keeps: true };
    this.#stop(file, { kind: 'corrupt', what, bytes: rest.length, loses, remedy }, position);
  }

  /** The commit with the record is cut off, with all behind it, so that it is not met again at the next opening. */
  #stopBefore(
    file: NamedFile,
    { position, what }: UnusableRecord,
    begin: number,
    { offset, bytes }: { offset: number; bytes: number },
  ): void {
    if (begin < this.#from) this.#previous = 0;
    const remedy: Remedy = { action: 'cut', offset, keeps: true };
    const said = `the record that ends at position ${position} cannot be applied (${what})`;
    this.#stop(file, { kind: 'unusable', what: said, bytes, loses: true, remedy }, begin);
  }

  #unreadable(file: NamedFile, next: NamedFile | undefined, what: string): void {
    // One that holds no more than its header has lost nothing.
    const loses = next !== undefined || file.bytes !== segmentHeaderBytes;
    this.#stop(
      file,
      { kind: 'corrupt', what, bytes: file.bytes, loses, remedy: { action: 'move' } },
      file.position,
    );
  }

  #gap(file: NamedFile, end: number): void {
    const what =
      end < file.position
        ? `the records from position ${end} to ${file.position} are missing: no segment holds them`
        : `it begins within the segment before it, which ends at position ${end}`;
    this.#stop(
      file,
      {
        kind: end < file.position ? 'missing' : 'corrupt',
        what,
        bytes: file.bytes,
        loses: true,
        remedy: { action: 'move' },
      },
      end,
    );
  }

  /** No record behind this can be applied: all later segments are put aside. */
  #stop(file: NamedFile, found: Found, position = file.position): void {
    this.#add(file, found, position);
    for (const later of this.#segments.slice(this.#segments.indexOf(file) + 1)) {
      const what = 'what comes before it is missing';
      const { bytes } = later;
      this.#add(
        later,
        { kind: 'unusable', what, bytes, loses: true, remedy: { action: 'move' } },
        later.position,
      );
    }
  }

  #add(file: NamedFile, { kind, what, bytes, loses, remedy }: Found, position: number): void {
    this.#damages.push({ kind, file: file.name, what, bytes, position, losesAcknowledged: loses, remedy });
  }
}

/** Where no frame continues what was read. */
interface BadPlace {
  readonly stop: 'cut' | 'bad';
  readonly offset: number;
  readonly position: number;
  /** The file from there on. */
  readonly rest: Buffer;
}

interface Found {
  readonly kind: Damage['kind'];
  readonly what: string;
  readonly bytes: number;
  readonly loses: boolean;
  readonly remedy: Remedy;
}
