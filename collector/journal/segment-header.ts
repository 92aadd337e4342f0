import { crc32 } from 'node:zlib';
import { readUint53, writeUint53 } from './fixed-numbers.ts';

/** The version of segments and checkpoints that this program writes and reads. */
export const formatVersion = 1;

/** How a segment begins. docs/journal.md has the bytes. */
export interface SegmentHeader {
  /** 16 bytes: which data directory it belongs to. */
  readonly directoryId: Buffer;
  /** 8 bytes: in which term it was begun. */
  readonly term: Buffer;
  /** The journal's position where its first record begins. */
  readonly firstPosition: number;
  /** When the segment was made, milliseconds since the Unix epoch; likewise the directory. */
  readonly createdMs: number;
  readonly bornMs: number;
  /** Where its frames' checksums start from: random, so that no bytes from outside pass for a frame. */
  readonly salt: number;
  /** The checksum of the frame before, which is in another segment; 0 when there is none. */
  readonly previous: number;
}

export const segmentHeaderBytes = 80;

/** The line ends are broken by whatever takes the file for text. */
const magic = Buffer.from('SGJRNL\r\n', 'latin1');

export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(segmentHeaderBytes);
  magic.copy(bytes);
  bytes.writeUInt32LE(formatVersion, 8);
  bytes.writeUInt32LE(header.salt, 12);
  header.directoryId.copy(bytes, 16);
  header.term.copy(bytes, 32);
  writeUint53(bytes, header.firstPosition, 40);
  writeUint53(bytes, header.createdMs, 48);
  writeUint53(bytes, header.bornMs, 56);
  bytes.writeUInt32LE(header.previous, 64);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 76)), 76);
  return bytes;
}

/** The header, or in words what is wrong with it. */
export function decodeSegmentHeader(bytes: Buffer): SegmentHeader | string {
  if (bytes.length < segmentHeaderBytes)
    return `it is cut within its header, after ${bytes.length} of ${segmentHeaderBytes} bytes`;
  if (!bytes.subarray(0, 8).equals(magic)) return 'it is no segment: it does not begin with SGJRNL';
  if (bytes.readUInt32LE(76) !== crc32(bytes.subarray(0, 76))) return "its header's checksum is wrong";
  const version = bytes.readUInt32LE(8);
  if (version !== formatVersion)
    return `it has format version ${version}; this program reads ${formatVersion}`;
  return {
    directoryId: Buffer.from(bytes.subarray(16, 32)),
    term: Buffer.from(bytes.subarray(32, 40)),
    firstPosition: readUint53(bytes, 40),
    createdMs: readUint53(bytes, 48),
    bornMs: readUint53(bytes, 56),
    salt: bytes.readUInt32LE(12),
    previous: bytes.readUInt32LE(64),
  };
}
