import { crc32 } from 'node:zlib';
import { readUint53, writeUint53 } from './fixed-numbers.ts';

/*
 * A frame is what a commit writes: a header and records, under one checksum. Either all of its records are read again or none.
 *
 *   0  magic
 *   4  CRC-32 of all that follows, started from the segment's salt
 *   8  the checksum of the frame before: so a frame of an older file, or in another place, does not pass
 *  12  bytes of records; 0 in the frame that an orderly end writes
 *  16  the journal's position where the first record begins
 *  24  how far before that the journal was committed when the frame was written (at most 2^32 - 1 bytes): what proves, when something
 *      before it cannot be read, that acknowledged data was lost
 *  28  records: type (1 byte), length (varint), bytes
 */

export const frameHeaderBytes = 28;
const frameMagic = 0x5246_4753; // "SGFR"
/** As the bytes stand in a file, for looking for the next frame. */
export const frameMagicBytes = Buffer.from('SGFR', 'latin1');

/** One message may have 64 MiB, and what is kept with it some more. */
export const maxRecordBytes = 65 * 2 ** 20;
/** Type and length. */
export const maxRecordHeaderBytes = 5;

export interface FrameHeader {
  readonly checksum: number;
  readonly previous: number;
  readonly bodyBytes: number;
  readonly position: number;
  /** The journal was committed up to here when the frame was written. */
  readonly committed: number;
}

/** Completes a frame whose records stand from byte 28 on. @returns its checksum */
export function sealFrame(
  frame: Buffer,
  header: { salt: number; previous: number; position: number; committed: number },
): number {
  const { salt, previous, position, committed } = header;
  frame.writeUInt32LE(frameMagic, 0);
  frame.writeUInt32LE(previous, 8);
  frame.writeUInt32LE(frame.length - frameHeaderBytes, 12);
  writeUint53(frame, position, 16);
  frame.writeUInt32LE(Math.min(position - committed, 0xffff_ffff), 24);
  const checksum = crc32(frame.subarray(8), salt);
  frame.writeUInt32LE(checksum, 4);
  return checksum;
}

/** The frame at an offset of a segment's bytes; `cut` when it does not end within them, `bad` when it is none. */
export function readFrame(bytes: Buffer, offset: number, salt: number): FrameHeader | 'cut' | 'bad' {
  if (offset + frameHeaderBytes > bytes.length) return 'cut';
  if (bytes.readUInt32LE(offset) !== frameMagic) return 'bad';
  const bodyBytes = bytes.readUInt32LE(offset + 12);
  const end = offset + frameHeaderBytes + bodyBytes;
  if (end > bytes.length) return 'cut';
  const checksum = bytes.readUInt32LE(offset + 4);
  if (checksum !== crc32(bytes.subarray(offset + 8, end), salt)) return 'bad';
  const position = readUint53(bytes, offset + 16);
  return {
    checksum,
    previous: bytes.readUInt32LE(offset + 8),
    bodyBytes,
    position,
    committed: position - bytes.readUInt32LE(offset + 24),
  };
}

/** What a frame at this offset says of its position, if it is one; NaN where the bytes end. */
export function framePosition(bytes: Buffer, offset: number): number {
  return offset + frameHeaderBytes > bytes.length ? Number.NaN : readUint53(bytes, offset + 16);
}

/** The bytes that a record takes, of which the journal's position counts all. */
export function recordSize(length: number): number {
  return length + 2 + (length >= 2 ** 7 ? 1 : 0) + (length >= 2 ** 14 ? 1 : 0) + (length >= 2 ** 21 ? 1 : 0);
}

/** Writes a record of two parts in a row. @returns the offset behind it */
export function writeRecord(
  frame: Buffer,
  at: number,
  type: number,
  head: Uint8Array,
  bytes: Uint8Array,
): number {
  frame[at++] = type;
  let rest = head.length + bytes.length;
  for (; rest >= 0x80; rest >>>= 7) frame[at++] = (rest & 0x7f) | 0x80;
  frame[at++] = rest;
  frame.set(head, at);
  frame.set(bytes, at + head.length);
  return at + head.length + bytes.length;
}

export interface JournalRecord {
  /** 0 to 255; the writer's own. */
  readonly type: number;
  readonly bytes: Buffer;
  /** The journal's position behind the record: what `append` returned. */
  readonly position: number;
}

/** The records of a frame's body, whose checksum is right. `undefined` when they do not fill it, which no writer does. */
export function readRecords(body: Buffer, position: number): JournalRecord[] | undefined {
  const records: JournalRecord[] = [];
  for (let at = 0; at < body.length; ) {
    const type = body[at++]!;
    let length = 0;
    let scale = 1;
    for (let more = true; more; scale *= 128) {
      if (at === body.length || scale > 2 ** 28) return undefined;
      const byte = body[at++]!;
      length += (byte & 0x7f) * scale;
      more = byte >= 0x80;
    }
    if (length > body.length - at) return undefined;
    records.push({ type, bytes: body.subarray(at, at + length), position: position + at + length });
    at += length;
  }
  return records;
}
