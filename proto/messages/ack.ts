import { ByteWriter } from '../columns/byte-writer.ts';
import { varintSize } from '../columns/varint.ts';
import type { Position } from './position.ts';

/** All reports up to `report` are committed. */
export interface Ack {
  readonly type: 'ack';
  readonly report: number;
  /** Absent where it is that of Welcome. */
  readonly position: Position | undefined;
}

const writer = new ByteWriter(32);

/**
 * The bytes of a CollectorMessage with an Ack that holds a report number and perhaps a place in the journal of Welcome's directory and term: what
 * a collector sends most. At most 22 bytes, the caller's own.
 */
export function encodeAck(report: number, journalPosition?: number): Buffer {
  const placeBytes = journalPosition === undefined ? 0 : 1 + varintSize(journalPosition);
  writer.reset();
  writer.byte(0x0a);
  writer.byte(1 + varintSize(report) + (placeBytes === 0 ? 0 : 2 + placeBytes));
  writer.byte(0x08);
  writer.varint(report);
  if (journalPosition !== undefined) {
    writer.byte(0x12);
    writer.byte(placeBytes);
    writer.byte(0x18);
    writer.varint(journalPosition);
  }
  return Buffer.from(writer.bytes.subarray(0, writer.length));
}

/** The report number when the bytes are those of {@link encodeAck} without a place, or -1: then it is for decodeCollectorMessage. */
export function readAck(bytes: Uint8Array): number {
  const { length } = bytes;
  if (length < 4 || length > 11 || bytes[0] !== 0x0a || bytes[1] !== length - 2 || bytes[2] !== 0x08)
    return -1;
  let report = 0;
  let scale = 1;
  for (let at = 3; at < length; at++) {
    const byte = bytes[at];
    // A varint that ends before the message does is followed by another field.
    if (byte < 0x80 !== (at === length - 1)) return -1;
    report += (byte & 0x7f) * scale;
    scale *= 128;
  }
  return report <= Number.MAX_SAFE_INTEGER ? report : -1;
}
