import { auditLedger, type LedgerLine } from '../../otel/state/audit-ledger.ts';
import type { Booked } from '../../otel/state/input-ledger.ts';
import type { MetricStore } from '../../otel/state/metric-store.ts';
import type { LedgerQuery } from './ledger-query.ts';

/** What one metric of one member, or of several, has come to. Amounts are in the metric's unit; of histograms they are counts. */
export interface InputFigures {
  /** Empty: of several members. */
  readonly member: string;
  readonly metric: string;
  readonly reported: number;
  readonly counted: number;
  readonly baseline: Booked;
  /** By cause. */
  readonly refused: Readonly<Record<string, Booked>>;
  readonly isBalanced: boolean;
}

export interface InputAnswer {
  readonly equation: 'reported = counted + baseline';
  readonly isBalanced: boolean;
  readonly lines: readonly InputFigures[];
  /** Lines that are not here because there are more than were asked for. */
  readonly omitted: number;
}

/** The input book as it stands. It is audited whole, whatever is asked for. */
export function inputAnswer(store: MetricStore, query: LedgerQuery): InputAnswer {
  const all = auditLedger(store);
  const chosen = all.filter(
    ({ member, metric }) => (query.member?.test(member) ?? true) && (query.metric?.test(metric) ?? true),
  );
  const lines = query.byMember ? chosen : joinMembers(chosen);
  lines.sort((a, b) => order(a.metric, b.metric) || order(a.member, b.member));
  return {
    equation: 'reported = counted + baseline',
    isBalanced: all.every(({ isBalanced }) => isBalanced),
    lines: lines.slice(0, query.limit),
    omitted: Math.max(0, lines.length - query.limit),
  };
}

function joinMembers(lines: readonly LedgerLine[]): InputFigures[] {
  return [...Map.groupBy(lines, ({ metric }) => metric)].map(([metric, of]) => ({
    member: '',
    metric,
    reported: total(of, ({ reported }) => reported),
    counted: total(of, ({ counted }) => counted),
    baseline: bookedOf(of.map(({ baseline }) => baseline)),
    refused: joinCauses(of),
    isBalanced: of.every(({ isBalanced }) => isBalanced),
  }));
}

function joinCauses(lines: readonly LedgerLine[]): Record<string, Booked> {
  const entries = lines.flatMap(({ refused }) => Object.entries(refused));
  const byCause = Map.groupBy(entries, ([cause]) => cause);
  return Object.fromEntries(
    [...byCause].map(([cause, of]) => [cause, bookedOf(of.map(([, booked]) => booked))]),
  );
}

function bookedOf(list: readonly Booked[]): Booked {
  return { points: total(list, ({ points }) => points), amount: total(list, ({ amount }) => amount) };
}

function total<T>(list: readonly T[], of: (item: T) => number): number {
  return list.reduce((sum, item) => sum + of(item), 0);
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
