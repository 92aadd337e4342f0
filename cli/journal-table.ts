import type {
  DirectoryInspection,
  InspectedRecord,
  InspectedSegment,
} from '../collector/journal/inspect-directory.ts';

const maxTerms = 20;

/** What is in a data directory, for people. `holder` says who holds it, if somebody does. */
export function inspectionText(
  directory: string,
  inspection: DirectoryInspection,
  holder: string | undefined,
): string {
  const { directoryId, bornMs, terms, checkpoints, segments, damaged, problems } = inspection;
  const latest = terms.slice(-maxTerms).reverse();
  const omitted = terms.length - latest.length;
  return [
    `data directory  ${directory}`,
    `id              ${directoryId ?? 'cannot be read'}`,
    ...(bornMs === undefined ? [] : [`made            ${time(bornMs)}`]),
    `held by         ${holder ?? 'nobody'}`,
    ...problems.map((problem) => `problem         ${problem}`),
    ...table(`terms (${terms.length}, the latest first)`, [
      ['term', 'opened', 'from position', ''],
      ...latest.map(({ token, openedMs, from, afterLoss }) => [
        token.toString('hex'),
        time(openedMs),
        String(from),
        afterLoss ? 'after a loss of acknowledged data' : '',
      ]),
    ]),
    ...(omitted > 0 ? [`  and ${omitted} more`] : []),
    ...table(`checkpoints (${checkpoints.length})`, [
      ['file', 'written', 'position', 'chunks', 'bytes', ''],
      ...checkpoints.map(({ name, createdMs, position, chunks, bytes, problem }) => [
        name,
        time(createdMs),
        String(position),
        String(chunks ?? '-'),
        String(bytes),
        problem ?? '',
      ]),
    ]),
    ...table(`segments (${segments.length})`, [
      ['file', 'begun', 'last written', 'positions', 'commits', 'records', 'bytes', 'term', ''],
      ...segments.map((segment, index) => [
        segment.name,
        time(segment.createdMs),
        time(segment.modifiedMs),
        `${segment.position} to ${segment.endPosition}`,
        String(segment.commits),
        String(segment.records),
        String(segment.bytes),
        segment.term ?? '-',
        remark(segment, index === segments.length - 1, holder !== undefined),
      ]),
    ]),
    ...(damaged.length === 0
      ? ['', 'damage: no file was put aside']
      : table(`damage (${damaged.length} files in the folder damaged)`, [
          ['file', 'put aside', 'bytes'],
          ...damaged.map(({ name, modifiedMs, bytes }) => [name, time(modifiedMs), String(bytes)]),
        ])),
    '',
  ].join('\n');
}

/** One line for a record: position, type, length, segment. */
export function recordLine({ segment, type, bytes, position }: InspectedRecord): string {
  return `${String(position).padStart(16)}  type ${String(type).padStart(3)}  ${String(bytes).padStart(9)} bytes  ${segment}\n`;
}

function remark({ problem, isEnded }: InspectedSegment, isLast: boolean, isHeld: boolean): string {
  if (problem !== undefined)
    return isLast && isHeld ? `${problem} (it is being written)` : `DAMAGED: ${problem}`;
  return isEnded ? 'ended in order' : '';
}

function table(title: string, rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 1) return ['', `${title}: none`];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => printable(row[column]!).length)));
  const lines = rows.map((row) =>
    `  ${row.map((cell, i) => printable(cell).padEnd(widths[i]!)).join('  ')}`.trimEnd(),
  );
  return ['', title, ...lines];
}

/** Names in the folder are anybody's: what a terminal would take for more than text is not shown. */
function printable(text: string): string {
  return text.replace(/[^\P{C}]/gu, '\ufffd');
}

function time(ms: number | undefined): string {
  const date = new Date(ms ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? '-' : date.toISOString();
}
