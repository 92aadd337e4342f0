import { countedAmount, isCounter, reportedAmount } from './counted-amount.ts';
import type { MetricEntry } from './definitions.ts';
import type { Booked, LedgerEntry } from './input-ledger.ts';
import type { KindState } from './kind-state.ts';
import type { MetricStore } from './metric-store.ts';

/** One line of the book, with what its series hold now. */
export interface LedgerLine {
  readonly member: string;
  readonly metric: string;
  /** What members have reported since the store began. */
  reported: number;
  /** What merging views have of it. */
  counted: number;
  readonly baseline: Booked;
  readonly refused: Readonly<Record<string, Booked>>;
  /** Whether reported = counted + baseline: exactly for whole numbers, else within the rounding of doubles. */
  isBalanced: boolean;
}

/** Relative to the largest number in an equation: some 4,000 roundings. */
const rounding = 1e-12;

/** Holds the book against the columns, all in one go, so that nothing comes in between. Lines with nothing in them are left out. */
export function auditLedger(store: MetricStore): LedgerLine[] {
  const lines = new Map<LedgerEntry, LedgerLine>();
  const unbooked = new Map<string, LedgerLine>();
  for (const entry of store.ledger) lines.set(entry, lineOf(entry));
  for (const state of store.states) addSeries(store, state, lines, unbooked);
  const all = [...lines.values(), ...unbooked.values()];
  for (const line of all) {
    const difference = line.reported - line.counted - line.baseline.amount;
    const largest = Math.max(Math.abs(line.reported), Math.abs(line.counted), Math.abs(line.baseline.amount));
    line.isBalanced = Math.abs(difference) <= largest * rounding;
  }
  return all.filter(
    ({ reported, counted, baseline, refused }) =>
      reported !== 0 || counted !== 0 || baseline.points !== 0 || Object.keys(refused).length > 0,
  );
}

function addSeries(
  store: MetricStore,
  state: KindState,
  lines: Map<LedgerEntry, LedgerLine>,
  unbooked: Map<string, LedgerLine>,
): void {
  const { series } = state;
  // Series of one member and metric mostly have slots in a row: their line is looked up once.
  let member = -1;
  let metric: MetricEntry | undefined;
  let line: LedgerLine | undefined;
  for (let slot = 1; slot < series.length; slot++) {
    if (!isCounter(state, slot)) continue;
    const { entry } = store.definitions.at(series.definition.get(slot));
    if (line === undefined || entry !== metric || series.member.get(slot) !== member) {
      metric = entry;
      member = series.member.get(slot);
      const { id } = store.members.at(member)!;
      const booked = store.ledger.find(id, entry.metric.name);
      line = booked === undefined ? unbookedLine(unbooked, id, entry.metric.name) : lines.get(booked)!;
    }
    line.reported += reportedAmount(state, slot);
    line.counted += countedAmount(state, slot);
  }
}

function unbookedLine(unbooked: Map<string, LedgerLine>, member: string, metric: string): LedgerLine {
  const key = `${member}\n${metric}`;
  let line = unbooked.get(key);
  if (line === undefined) {
    line = {
      member,
      metric,
      reported: 0,
      counted: 0,
      baseline: { points: 0, amount: 0 },
      refused: {},
      isBalanced: true,
    };
    unbooked.set(key, line);
  }
  return line;
}

function lineOf({ member, metric, earlier, freed, baseline, refused }: LedgerEntry): LedgerLine {
  return {
    member,
    metric,
    reported: earlier,
    counted: freed,
    baseline: { ...baseline },
    refused: Object.fromEntries([...refused].map(([cause, booked]) => [cause, { ...booked }])),
    isBalanced: true,
  };
}
