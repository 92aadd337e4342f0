import { type Attributes, attributesKey } from '../../otel/model/attributes.ts';
import { Uint32List } from '../../otel/state/columns.ts';
import type { SeriesDefinition } from '../../otel/state/definitions.ts';
import type { SeriesAttributes } from '../../otel/state/point-batch.ts';

/**
 * Which input series are joined into which point: `slots[i]` goes into point `targets[i]`. Points are by the attributes that the
 * view keeps, and stay.
 */
export class FoldPoints {
  readonly attributes: SeriesAttributes[] = [];
  readonly slots = new Uint32List();
  readonly targets = new Uint32List();
  readonly #keeps: ((key: string) => boolean) | undefined;
  readonly #byKey = new Map<string, number>();

  constructor(keeps: ((key: string) => boolean) | undefined) {
    this.#keeps = keeps;
  }

  get size(): number {
    return this.attributes.length;
  }

  attach(slot: number, definition: SeriesDefinition): void {
    const whole = definition.attributes.attributes;
    const keeps = this.#keeps;
    const kept: Attributes = keeps === undefined ? whole : whole.filter(([key]) => keeps(key));
    const key = attributesKey(kept);
    let point = this.#byKey.get(key);
    if (point === undefined) {
      point = this.attributes.length;
      this.attributes.push(
        kept.length === whole.length
          ? definition.attributes
          : { attributes: kept, otlpNumber: undefined, otlpHistogram: undefined },
      );
      this.#byKey.set(key, point);
    }
    this.slots.push(slot);
    this.targets.push(point);
  }

  /** Lets go of the series that `leaves` says yes to. */
  sweep(leaves: (slot: number, point: number) => boolean): void {
    const { slots, targets } = this;
    for (let i = slots.size - 1; i >= 0; i--) {
      if (!leaves(slots.items[i], targets.items[i])) continue;
      const last = --slots.size;
      targets.size--;
      slots.items[i] = slots.items[last];
      targets.items[i] = targets.items[last];
    }
  }
}
