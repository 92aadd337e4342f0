import assert from 'node:assert/strict';
import { parseFileName } from '../../../collector/journal/file-names.ts';
import { type JournalRecord, readRecords } from '../../../collector/journal/frame.ts';
import { SegmentFrames } from '../../../collector/journal/segment-frames.ts';
import { decodeSegmentHeader } from '../../../collector/journal/segment-header.ts';

/** All records of segments that follow each other without a gap, from the journal's beginning on, those included that a checkpoint covers. */
export function recordsOf(files: ReadonlyMap<string, Buffer>): JournalRecord[] {
  const segments = [...files]
    .flatMap(([name, bytes]) => {
      const parsed = parseFileName(name);
      return parsed?.kind === 'segment' ? [{ position: parsed.position, bytes }] : [];
    })
    .sort((a, b) => a.position - b.position);
  const records: JournalRecord[] = [];
  let end = 0;
  for (const [i, { position, bytes }] of segments.entries()) {
    assert.equal(position, end, 'a segment is missing');
    const header = decodeSegmentHeader(bytes);
    assert.ok(typeof header === 'object', `${header}`);
    const frames = new SegmentFrames(bytes, header);
    const next = segments[i + 1]?.position ?? Number.POSITIVE_INFINITY;
    while (frames.position < next) {
      const begin = frames.position;
      const frame = frames.next();
      if (typeof frame === 'string') break;
      records.push(...readRecords(frame.body, begin)!);
    }
    end = frames.position;
  }
  return records;
}
