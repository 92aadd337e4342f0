import { crc32 } from 'node:zlib';
import { readUint53, writeUint53 } from './fixed-numbers.ts';
import { formatVersion } from './segment-header.ts';

/*
 * A checkpoint is a header, chunks, and a footer. All numbers are little-endian.
 *
 * header, 80 bytes: magic (8), version (4), 0 (4), directory id (16), term (8), position (8), made at (8), directory born at (8), 0 (12), CRC-32 of
 * these 76 (4)
 * chunk: "SGCH", CRC-32 of what follows (4), type (4), length (4), key (8), bytes
 * footer, 32 bytes: "SGCF", CRC-32 of what follows (4), CRC-32 of all before the footer (4), 0 (4), how many chunks (8), how many bytes (8)
 */

export interface CheckpointHeader {
  /** 16 bytes. */
  readonly directoryId: Buffer;
  /** 8 bytes: the term in which it was written. */
  readonly term: Buffer;
  /** It holds the effect of all records up to here. */
  readonly position: number;
  /** Milliseconds since the Unix epoch. */
  readonly createdMs: number;
  readonly bornMs: number;
}

/** A piece of the state: what its type and key mean, and its bytes, are the writer's own. */
export interface CheckpointChunk {
  /** 0 to 2^32 - 1. */
  readonly type: number;
  /** 0 to 2^53 - 1. */
  readonly key: number;
  /** At most {@link maxChunkBytes}. */
  readonly bytes: Uint8Array;
}

export const checkpointHeaderBytes = 80;
export const chunkHeaderBytes = 24;
export const footerBytes = 32;
export const maxChunkBytes = 64 * 2 ** 20;

const magic = Buffer.from('SGCKPT\r\n', 'latin1');
const chunkMagic = 0x4843_4753; // "SGCH"
const footerMagic = 0x4643_4753; // "SGCF"

export function encodeCheckpointHeader(header: CheckpointHeader): Buffer {
  const bytes = Buffer.alloc(checkpointHeaderBytes);
  magic.copy(bytes);
  bytes.writeUInt32LE(formatVersion, 8);
  header.directoryId.copy(bytes, 16);
  header.term.copy(bytes, 32);
  writeUint53(bytes, header.position, 40);
  writeUint53(bytes, header.createdMs, 48);
  writeUint53(bytes, header.bornMs, 56);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 76)), 76);
  return bytes;
}

/** The header, or in words what is wrong with it. */
export function decodeCheckpointHeader(bytes: Buffer): CheckpointHeader | string {
  if (bytes.length < checkpointHeaderBytes)
    return `it is cut within its header, after ${bytes.length} of ${checkpointHeaderBytes} bytes`;
  if (!bytes.subarray(0, 8).equals(magic)) return 'it is no checkpoint: it does not begin with SGCKPT';
  if (bytes.readUInt32LE(76) !== crc32(bytes.subarray(0, 76))) return "its header's checksum is wrong";
  const version = bytes.readUInt32LE(8);
  if (version !== formatVersion)
    return `it has format version ${version}; this program reads ${formatVersion}`;
  return {
    directoryId: Buffer.from(bytes.subarray(16, 32)),
    term: Buffer.from(bytes.subarray(32, 40)),
    position: readUint53(bytes, 40),
    createdMs: readUint53(bytes, 48),
    bornMs: readUint53(bytes, 56),
  };
}

export function encodeChunkHeader({ type, key, bytes }: CheckpointChunk): Buffer {
  const header = Buffer.allocUnsafe(chunkHeaderBytes);
  header.writeUInt32LE(chunkMagic, 0);
  header.writeUInt32LE(type, 8);
  header.writeUInt32LE(bytes.length, 12);
  writeUint53(header, key, 16);
  header.writeUInt32LE(crc32(bytes, crc32(header.subarray(8))), 4);
  return header;
}

export interface ChunkHeader {
  readonly checksum: number;
  readonly type: number;
  readonly length: number;
  readonly key: number;
}

/** `undefined` when no chunk begins there. */
export function decodeChunkHeader(bytes: Buffer): ChunkHeader | undefined {
  if (bytes.length < chunkHeaderBytes || bytes.readUInt32LE(0) !== chunkMagic) return undefined;
  const length = bytes.readUInt32LE(12);
  if (length > maxChunkBytes) return undefined;
  return {
    checksum: bytes.readUInt32LE(4),
    type: bytes.readUInt32LE(8),
    length,
    key: readUint53(bytes, 16),
  };
}

/** The checksum of a chunk: of its header from the type on, then its bytes. */
export function chunkChecksum(header: Buffer, bytes: Uint8Array): number {
  return crc32(bytes, crc32(header.subarray(8, chunkHeaderBytes)));
}

export interface CheckpointFooter {
  /** Of all bytes before the footer. */
  readonly checksum: number;
  readonly chunks: number;
  /** Of the whole file. */
  readonly bytes: number;
}

export function encodeFooter({ checksum, chunks, bytes }: CheckpointFooter): Buffer {
  const footer = Buffer.alloc(footerBytes);
  footer.writeUInt32LE(footerMagic, 0);
  footer.writeUInt32LE(checksum, 8);
  writeUint53(footer, chunks, 16);
  writeUint53(footer, bytes, 24);
  footer.writeUInt32LE(crc32(footer.subarray(8)), 4);
  return footer;
}

/** `undefined` when it is none. */
export function decodeFooter(bytes: Buffer): CheckpointFooter | undefined {
  if (bytes.length !== footerBytes || bytes.readUInt32LE(0) !== footerMagic) return undefined;
  if (bytes.readUInt32LE(4) !== crc32(bytes.subarray(8))) return undefined;
  return { checksum: bytes.readUInt32LE(8), chunks: readUint53(bytes, 16), bytes: readUint53(bytes, 24) };
}
