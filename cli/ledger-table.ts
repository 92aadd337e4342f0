import type { InputAnswer, InputFigures } from '../collector/inspect/input-answer.ts';
import type { OutputAnswer } from '../collector/inspect/output-answer.ts';

/** The input book for a terminal: a line for each metric or member, what was refused with its causes, and whether all of it balances. */
export function inputTable({ equation, isBalanced, lines, omitted }: InputAnswer): string {
  const hasMembers = lines.some(({ member }) => member !== '');
  const rows = [['metric', 'member', 'reported', 'counted', 'baseline', 'refused', ''], ...lines.map(row)];
  const texts = hasMembers ? 2 : 1;
  const table = columns(
    rows.map((cells) => (hasMembers ? cells : cells.toSpliced(1, 1))),
    texts,
    texts + 3,
  );
  return joined([...table, ...more(omitted), verdict(isBalanced, equation)]);
}

/** The output books, one for each reader; nothing where there is no push reader. */
export function outputTables({ equation, isBalanced, readers }: OutputAnswer): string {
  if (readers.length === 0) return '';
  const tables = readers.flatMap(({ reader, requests, requestsFailed, retries, lines, omitted }) => [
    '',
    `reader ${printable(reader)}: ${figure(requests)} requests, ${figure(requestsFailed)} failed, ${figure(retries)} retried`,
    ...columns(
      [
        ['metric', 'collected', 'exported', 'rejected', 'failed', 'superseded', 'dropped', 'waiting', ''],
        ...lines.map((line) => [
          printable(line.metric === '' ? '(several)' : line.metric),
          ...[line.collected, line.exported, line.rejected, line.failed].map(figure),
          ...[line.superseded, line.dropped, line.waiting].map(figure),
          line.isBalanced ? '' : '!',
        ]),
      ],
      1,
      8,
    ),
    ...more(omitted),
  ]);
  return joined([...tables, verdict(isBalanced, equation)]);
}

function joined(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}

function more(omitted: number): string[] {
  return omitted > 0 ? [`${omitted} more; --limit shows them.`] : [];
}

function verdict(isBalanced: boolean, equation: string): string {
  return isBalanced ? `Balanced: ${equation}.` : `NOT BALANCED: ${equation} does not hold everywhere.`;
}

/** Cells from `firstNumber` on, up to `lastNumber`, are numbers. */
function columns(
  rows: readonly (readonly string[])[],
  firstNumber: number,
  lastNumber: number,
): readonly string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)));
  return rows.map((cells) =>
    cells
      .map((cell, i) =>
        i >= firstNumber && i < lastNumber ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!),
      )
      .join('  ')
      .trimEnd(),
  );
}

function row({ metric, member, reported, counted, baseline, refused, isBalanced }: InputFigures): string[] {
  const causes = Object.entries(refused).map(([cause, { points, amount }]) =>
    amount === 0 ? `${cause} ${points}` : `${cause} ${points} (${figure(amount)})`,
  );
  return [
    printable(metric === '' ? '(other metrics)' : metric),
    printable(member === '' ? '(several)' : member),
    figure(reported),
    figure(counted),
    figure(baseline.amount),
    causes.join(', '),
    isBalanced ? '' : '!',
  ];
}

/** Names come from members: what a terminal would take for more than text is not shown. */
function printable(text: string): string {
  return text.replace(/[^\P{C}]/gu, '\ufffd');
}

function figure(amount: number): string {
  return Number.isInteger(amount) ? amount.toLocaleString('en-US') : amount.toPrecision(9);
}
