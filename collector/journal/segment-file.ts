import type { NamedFile } from './directory-listing.ts';
import { decodeSegmentHeader, type SegmentHeader, segmentHeaderBytes } from './segment-header.ts';
import { readAll, type Storage } from './storage.ts';

/** No segment of ours comes near this, and it has to be held in memory. */
const maxSegmentFileBytes = 2 ** 30;

/** The header of a segment, whatever its file's name says, or in words what is wrong with it. @throws the platform's error */
export async function readSegmentHeader(storage: Storage, name: string): Promise<SegmentHeader | string> {
  const opened = await storage.open(name, 'read');
  try {
    return decodeSegmentHeader(await readAll(opened, 0, segmentHeaderBytes));
  } finally {
    await opened.close();
  }
}

/** A whole segment. */
export interface LoadedSegment {
  readonly header: SegmentHeader;
  /** The file, header included. */
  readonly bytes: Buffer;
}

/** A segment, or in words what is wrong with it. @throws the platform's error */
export async function loadSegment(storage: Storage, file: NamedFile): Promise<LoadedSegment | string> {
  const opened = await storage.open(file.name, 'read');
  try {
    const size = await opened.size();
    if (size > maxSegmentFileBytes)
      return `it has ${size} bytes; a segment has at most ${maxSegmentFileBytes}`;
    const bytes = await readAll(opened, 0, size);
    const header = decodeSegmentHeader(bytes);
    if (typeof header === 'string') return header;
    if (header.firstPosition === file.position) return { header, bytes };
    return `it begins at position ${header.firstPosition}, not at ${file.position} as its name says`;
  } finally {
    await opened.close();
  }
}
