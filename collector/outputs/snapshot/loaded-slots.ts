import type { SnapshotReader } from '../../../otel/snapshot/snapshot-reader.ts';
import type { MetricEntry, SeriesDefinition } from '../../../otel/state/definitions.ts';
import type { ResourceEntry } from '../../../otel/state/interned-resources.ts';
import type { MetricStore } from '../../../otel/state/metric-store.ts';
import type { SeriesColumns } from '../../../otel/state/series-columns.ts';
import type { Outgoing } from '../outgoing.ts';
import type { OutputStream } from '../output-stream.ts';
import { SlotMarks } from '../slot-marks.ts';
import type { TreeSurroundings } from './tree-loading.ts';

/** Takes series into one output that is loaded. */
export interface TakingSlots {
  readonly take: (slot: number) => SeriesDefinition;
  /** Of the first series that was taken. */
  readonly firstResource: ResourceEntry | undefined;
}

/** Which series are in outputs that have been loaded: each is in one of each view that makes something of its metric. */
export class LoadedSlots {
  readonly #reader: SnapshotReader;
  readonly #store: MetricStore;
  readonly #outgoingOf: TreeSurroundings['outgoingOf'];
  readonly #taken = new SlotMarks();

  readonly #inUse = new Map<SeriesColumns, Uint8Array>();

  constructor(reader: SnapshotReader, { store, outgoingOf }: TreeSurroundings) {
    this.#reader = reader;
    this.#store = store;
    this.#outgoingOf = outgoingOf;
  }

  of(outgoing: Outgoing, stream: OutputStream): TakingSlots {
    const { definitions } = this.#store;
    const { series } = this.#store.stateOf(outgoing.input.kind);
    const inUse = this.#slotsInUse(series);
    let checked: MetricEntry | undefined;
    const error = (message: string) => this.#reader.error(message);
    const taking = {
      firstResource: undefined as ResourceEntry | undefined,
      take: (slot: number): SeriesDefinition => {
        // What slots refer to was seen to when the store was loaded.
        if (inUse[slot] !== 1) throw error(`there is no slot ${slot} of ${outgoing.input.kind}`);
        const definition = definitions.at(series.definition.get(slot));
        if (definition.entry !== checked) {
          this.#check(definition.entry, outgoing, stream);
          checked = definition.entry;
        }
        if (this.#taken.mark(outgoing.plan.number, series, slot))
          throw error(
            `slot ${slot} of ${outgoing.input.kind} is in two outputs of view ${outgoing.plan.number}`,
          );
        taking.firstResource ??= this.#store.resourceAt(series.resource.get(slot));
        return definition;
      },
    };
    return taking;
  }

  #check(entry: MetricEntry, { plan, streamId }: Outgoing, stream: OutputStream): void {
    const made = this.#outgoingOf(entry).find(({ plan: { number } }) => number === plan.number);
    if (made?.streamId === streamId && (stream.accepts?.(entry.metric) ?? true)) return;
    throw this.#reader.error(
      `a series of ${entry.metric.name} is in the output ${streamId}, where it does not belong`,
    );
  }

  #slotsInUse(series: SeriesColumns): Uint8Array {
    const known = this.#inUse.get(series) ?? series.slotsInUse();
    this.#inUse.set(series, known);
    return known;
  }
}
