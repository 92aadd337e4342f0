import { metricKey } from '../../otel/model/metric.ts';
import { scopeKey } from '../../otel/model/scope.ts';
import type { MetricEntry } from '../../otel/state/definitions.ts';
import type { MetricStore } from '../../otel/state/metric-store.ts';
import type { StreamPlan } from '../views/stream-plan.ts';
import type { Outgoing } from './outgoing.ts';
import type { OutputStream } from './output-stream.ts';
import type { OutputTree, PlacedStream } from './output-tree.ts';
import type { ReaderCursor } from './reader-cursor.ts';
import { SlotMarks } from './slot-marks.ts';

/** What changes, from when on. */
export interface ViewChange {
  readonly store: MetricStore;
  readonly before: OutputTree;
  /** Empty. */
  readonly after: OutputTree;
  /** What leaves of a metric from now on. */
  readonly outgoingOf: (entry: MetricEntry) => readonly Outgoing[];
  readonly deltaReaders: readonly ReaderCursor[];
  readonly nowS: number;
  /** Merged outputs begin anew even where a view goes on. */
  readonly isAfresh: boolean;
}

/**
 * Fills a tree with the outputs of other views. An output whose plan is there again goes on as it is: series that its view does not select any more
 * leave it as if they had been freed, and those that it selects now come with what they hold as their baseline. All others begin: merged ones at zero, with
 * what their series hold as baseline, and passing ones where passing outputs of the same series stood.
 */
export function changeViews(change: ViewChange): void {
  const taken = new SlotMarks();
  const passingBefore = new Map<string, OutputStream>();
  for (const placed of change.before.placed()) {
    const next = successorOf(placed, change);
    if (next !== undefined) goOn(placed, next, change, taken);
    else change.after.forget(placed.stream);
    if (placed.outgoing.shape.way === 'pass')
      passingBefore.set(passingKey(placed.resourceId, placed.scopeId, placed.outgoing), placed.stream);
  }
  begin(change, taken, passingBefore);
}

/** What the output goes on as; `undefined`: nothing. */
function successorOf(
  { stream, outgoing, scope, scopeId, resourceId, variant }: PlacedStream,
  { store, after, outgoingOf, isAfresh }: ViewChange,
): Outgoing | undefined {
  if (isAfresh && outgoing.shape.way !== 'pass') return undefined;
  const { series } = store.stateOf(outgoing.input.kind);
  const entries = new Set<MetricEntry>();
  for (const slot of stream.slots()) entries.add(store.definitions.at(series.definition.get(slot)).entry);
  // One whose series are all gone goes on if the metric that it was made for would make it again.
  const key = `${scopeId}\n${metricKey(outgoing.input)}`;
  if (entries.size === 0) entries.add({ scope, metric: outgoing.input, key });
  for (const entry of entries)
    for (const next of outgoingOf(entry))
      if (isSame(next, outgoing) && !after.has(resourceId, scopeId, next.streamId, variant)) return next;
  return undefined;
}

function isSame(next: Outgoing, before: Outgoing): boolean {
  return (
    next.plan.identity === before.plan.identity &&
    withoutNumber(next) === withoutNumber(before) &&
    (!isOfPresent(before) || isOfOnePresence(next.plan, before.plan))
  );
}

/** Whether values stand for the present in it: those that may fall, and of counters all that is not what they have counted. */
function isOfPresent({ input: { kind, isMonotonic }, shape: { way } }: Outgoing): boolean {
  return kind === 'gauge' || (kind === 'sum' && (!isMonotonic || (way !== 'pass' && way !== 'counter')));
}

/** What they say of values that stand for the present only. */
function isOfOnePresence(one: StreamPlan, other: StreamPlan): boolean {
  return one.overTime === other.overTime && one.stalenessMs === other.stalenessMs;
}

function goOn(placed: PlacedStream, next: Outgoing, change: ViewChange, taken: SlotMarks): void {
  const { store, after, outgoingOf, nowS } = change;
  const { stream } = placed;
  const state = store.stateOf(next.input.kind);
  const selects = new Map<MetricEntry, boolean>();
  stream.holdTotals?.();
  stream.leave((slot) => {
    const { entry } = store.definitions.at(state.series.definition.get(slot));
    const isSelected = selects.get(entry) ?? outgoingOf(entry).some(({ plan }) => plan === next.plan);
    selects.set(entry, isSelected);
    if (isSelected) taken.mark(next.plan.number, state.series, slot);
    return !isSelected;
  }, nowS);
  after.adopt(placed, next);
}

/** Takes each series into the outputs that it is not in yet. */
function begin(change: ViewChange, taken: SlotMarks, passingBefore: Map<string, OutputStream>): void {
  const { store, after, outgoingOf, deltaReaders } = change;
  const passing = new Map<OutputStream, OutputStream>();
  for (const state of store.states) {
    const { series } = state;
    const inUse = series.slotsInUse();
    for (let slot = 1; slot < series.length; slot++) {
      if (inUse[slot] === 0) continue;
      const definition = store.definitions.at(series.definition.get(slot));
      const { entry } = definition;
      const from = store.resourceAt(series.resource.get(slot));
      for (const outgoing of outgoingOf(entry)) {
        if (taken.mark(outgoing.plan.number, series, slot)) continue;
        const scopeId = scopeKey(entry.scope);
        const stream = after.streamFor(outgoing, entry.scope, scopeId, from);
        if (stream === undefined) continue;
        if (stream.attachHeld !== undefined) stream.attachHeld(slot, definition, deltaReaders);
        else stream.attach(slot, definition);
        const before = passingBefore.get(passingKey(from.key, scopeId, outgoing));
        if (before !== undefined && outgoing.shape.way === 'pass') passing.set(stream, before);
      }
    }
  }
  for (const [stream, before] of passing) stream.goOnFrom?.(before);
}

function passingKey(resourceId: string, scopeId: string, { input }: Outgoing): string {
  return `${resourceId}\n${scopeId}\n${metricKey(input)}`;
}

/** The id of a stream but for the place of its view. */
function withoutNumber({ streamId }: Outgoing): string {
  return streamId.slice(streamId.indexOf(':'));
}
