import type { InputAnswer, InputFigures } from '../collector/inspect/input-answer.ts';

const heads = ['metric', 'member', 'reported', 'counted', 'baseline', 'refused', ''];

/** The input book for a terminal: a line for each metric or member, what was refused with its causes, and whether all of it balances. */
export function inputTable({ equation, isBalanced, lines, omitted }: InputAnswer): string {
  const hasMembers = lines.some(({ member }) => member !== '');
  const rows = [heads, ...lines.map(row)].map((cells) => (hasMembers ? cells : cells.toSpliced(1, 1)));
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)));
  const firstNumber = hasMembers ? 2 : 1;
  const text = rows.map((cells) =>
    cells
      .map((cell, i) =>
        i < firstNumber || i >= firstNumber + 3 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!),
      )
      .join('  ')
      .trimEnd(),
  );
  const last = isBalanced ? `Balanced: ${equation}.` : `NOT BALANCED: ${equation} does not hold everywhere.`;
  const more = omitted > 0 ? [`${omitted} more; --limit shows them.`] : [];
  return `${[...text, ...more, last].join('\n')}\n`;
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
