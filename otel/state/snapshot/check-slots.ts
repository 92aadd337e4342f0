import type { SnapshotReader } from '../../snapshot/snapshot-reader.ts';
import type { KindState } from '../kind-state.ts';
import type { MetricStore } from '../metric-store.ts';

/**
 * Holds the slots of one kind, just loaded, against what they refer to, and makes each a holder of it: of its definition, resource and epochs,
 * and one of its member's slots. Resources, definitions, epochs, clocks and members are loaded before.
 * @throws SnapshotError for a reference to what there is not
 */
export function checkSlots(store: MetricStore, state: KindState, reader: SnapshotReader): void {
  const { series } = state;
  const { definitions, resources, epochs } = store.references;
  const inUse = series.slotsInUse();
  for (let slot = 1; slot < series.length; slot++) {
    if (inUse[slot] === 0) continue;
    const fail = (what: string, number: number) =>
      reader.error(`${state.kind} slot ${slot} refers to ${what} ${number}, which there is not`);
    const definition = series.definition.get(slot);
    if (!definitions.has(definition)) throw fail('definition', definition);
    const { metric } = definitions.at(definition).entry;
    if (metric.kind !== state.kind)
      throw reader.error(
        `${state.kind} slot ${slot} is of the ${metric.kind} ${JSON.stringify(metric.name)}`,
      );
    const resource = series.resource.get(slot);
    if (!resources.has(resource)) throw fail('resource', resource);
    const member = store.members.at(series.member.get(slot));
    if (member === undefined) throw fail('member', series.member.get(slot));
    for (const epoch of [series.epoch.get(slot), series.previousEpoch.get(slot)])
      if (!epochs.has(epoch)) throw fail('epoch', epoch);
    if (!store.clocks.has(series.clock.get(slot))) throw fail('clock', series.clock.get(slot));
    if (!hasCells(state, slot, metric.explicitBounds.length + 1, metric.quantiles.length))
      throw reader.error(
        `the cells of ${state.kind} slot ${slot} are not those of ${JSON.stringify(metric.name)}`,
      );
    definitions.hold(definition);
    resources.hold(resources.at(resource));
    epochs.hold(series.epoch.get(slot));
    epochs.hold(series.previousEpoch.get(slot));
    member.slots++;
    member.definitionBytes += definitions.at(definition).bytes;
  }
}

/** Whether a slot's cells are there, and as many as its metric has. */
function hasCells(state: KindState, slot: number, buckets: number, quantiles: number): boolean {
  if (state.kind === 'histogram') return state.hasRun(slot, buckets);
  if (state.kind === 'summary') return state.hasRun(slot, quantiles);
  if (state.kind === 'exponential_histogram') return state.values.isRow(slot) && state.offsets.isRow(slot);
  return true;
}
