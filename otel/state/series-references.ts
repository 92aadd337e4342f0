import { Definitions } from './definitions.ts';
import { Epochs } from './epochs.ts';
import { InternedResources, type ResourceEntry } from './interned-resources.ts';
import type { SeriesColumns } from './series-columns.ts';

/**
 * What series refer to by number: definitions, resources and epochs, each kept once and counted by its holders. A slot in use holds
 * one of each, and of epochs two. When every slot has been freed and every member released, all are empty.
 */
export class SeriesReferences {
  readonly definitions = new Definitions();
  readonly resources = new InternedResources();
  readonly epochs = new Epochs();

  /** Another slot refers to what this one does, in another resource. */
  copy(series: SeriesColumns, from: number, to: number, resource: ResourceEntry): void {
    series.definition.set(to, this.definitions.hold(series.definition.get(from)));
    series.resource.set(to, this.resources.hold(resource).number);
    series.epoch.set(to, this.epochs.hold(series.epoch.get(from)));
    series.previousEpoch.set(to, this.epochs.hold(series.previousEpoch.get(from)));
  }

  /** A slot that is freed lets go of what it refers to. */
  release(series: SeriesColumns, slot: number): void {
    this.epochs.release(series.epoch.get(slot));
    this.epochs.release(series.previousEpoch.get(slot));
    this.definitions.release(series.definition.get(slot));
    this.resources.release(series.resource.get(slot));
  }
}
