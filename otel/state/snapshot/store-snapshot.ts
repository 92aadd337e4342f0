import type { SectionLoader } from '../../snapshot/load-sections.ts';
import { NumbersPart } from '../../snapshot/numbers-part.ts';
import type { SnapshotChunk } from '../../snapshot/snapshot-chunk.ts';
import { SnapshotError } from '../../snapshot/snapshot-error.ts';
import { SnapshotSection } from '../../snapshot/snapshot-part.ts';
import type { SnapshotReader } from '../../snapshot/snapshot-reader.ts';
import type { SnapshotWriter } from '../../snapshot/snapshot-writer.ts';
import type { PointIntake } from '../intake/point-intake.ts';
import { kindsByCode } from '../member-series.ts';
import type { MetricStore } from '../metric-store.ts';
import { checkSlots } from './check-slots.ts';

/** Types of sections, in the order in which they are written and loaded: each refers to those before it. */
export const storeSections = {
  store: 1,
  resources: 2,
  definitions: 3,
  epochs: 4,
  clocks: 5,
  members: 6,
  /** And those that follow: one for each kind of metric, by its code. */
  kinds: 7,
  memberSeries: 12,
  ended: 13,
  ledger: 14,
  points: 15,
} as const;

const version = 1;

/**
 * The state of all members as sections of a snapshot. Made once for a store and used for each copy, since it keeps the copies' memory:
 *
 *     for (const _ of snapshot.reserve());          // in turns
 *     snapshot.take();                              // one synchronous step
 *     for (const chunk of snapshot.write(writer))   // in turns; the store may change meanwhile
 *
 * or once for a fresh store that is loaded: its loaders take the sections, then {@link StoreSnapshot.finish} says whether it is whole. Who listens
 * for new series is not told of those that are loaded.
 */
export class StoreSnapshot {
  readonly #store: MetricStore;
  readonly #sections: readonly SnapshotSection[];

  /** @param intake where points come in, if they do: it has state of its own */
  constructor(store: MetricStore, intake?: PointIntake) {
    this.#store = store;
    const { definitions, resources, epochs } = store.references;
    const section = (type: number, ...parts: ConstructorParameters<typeof SnapshotSection>[3]) =>
      new SnapshotSection(type, 0, version, parts);
    this.#sections = [
      section(storeSections.store, timesOf(store)),
      section(storeSections.resources, resources.snapshotPart()),
      section(storeSections.definitions, definitions.snapshotPart()),
      section(storeSections.epochs, epochs.snapshotPart()),
      section(storeSections.clocks, store.clocks.snapshotPart()),
      section(storeSections.members, store.members.snapshotPart(resources, store.clocks)),
      ...kindsByCode.map((kind, code) => {
        const state = store.stateOf(kind);
        const type = storeSections.kinds + code;
        return new SnapshotSection(type, 0, version, state.snapshotParts(), (reader) =>
          checkSlots(store, state, reader),
        );
      }),
      section(storeSections.memberSeries, store.members.snapshotSeriesPart()),
      section(storeSections.ended, store.endedList.snapshotPart()),
      section(storeSections.ledger, store.ledger.snapshotPart()),
      ...(intake === undefined
        ? []
        : [
            new SnapshotSection(storeSections.points, 0, version, intake.snapshotParts(), (reader) =>
              intake.checkLoaded(reader),
            ),
          ]),
    ];
  }

  /** Makes room for the next copy in small steps, between which others run: copying into room that is new takes five times as long. */
  *reserve(): Generator<void, void> {
    for (const section of this.#sections) yield* section.reserve();
  }

  /** Copies the state as it is now, in the place of the copy before. */
  take(): void {
    for (const section of this.#sections) section.take();
  }

  /** Writes the copy, chunk by chunk. */
  *write(writer: SnapshotWriter): Generator<SnapshotChunk, void> {
    for (const section of this.#sections) yield* section.write(writer);
  }

  /** By type of section: for a store that is fresh. */
  get loaders(): Map<number, SectionLoader> {
    return new Map(
      this.#sections.map((section, place) => [section.type, (reader) => this.#load(section, place, reader)]),
    );
  }

  /** All sections have been loaded. @throws SnapshotError when one was missing */
  finish(): void {
    for (const { type, isLoaded } of this.#sections)
      if (!isLoaded) throw new SnapshotError('is missing', { type, key: 0 });
    const { definitions, resources, epochs } = this.#store.references;
    definitions.releaseUnheld();
    resources.releaseUnheld();
    epochs.releaseUnheld();
  }

  *#load(section: SnapshotSection, place: number, reader: SnapshotReader): Generator<void, void> {
    const before = this.#sections.slice(0, place).find(({ isLoaded }) => !isLoaded);
    if (before !== undefined) throw reader.error(`section ${before.type}/0 is missing before it`);
    yield* section.load(reader);
  }
}

function timesOf(store: MetricStore): NumbersPart {
  return new NumbersPart(
    () => [store.birthUs, store.horizonUs, store.epochsOpened],
    ([birthUs, horizonUs, epochsOpened], reader) => {
      if (!Number.isFinite(birthUs) || !Number.isFinite(horizonUs))
        throw reader.error(
          `the store's birth is ${birthUs} and its horizon ${horizonUs}; finite times are allowed`,
        );
      store.birthUs = birthUs!;
      store.horizonUs = horizonUs!;
      store.epochsOpened = epochsOpened!;
    },
  );
}
