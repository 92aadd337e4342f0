import { type Attributes, attributesKey } from '../../otel/model/attributes.ts';
import { Uint32List } from '../../otel/state/columns.ts';
import type { SeriesDefinition } from '../../otel/state/definitions.ts';
import type { SeriesAttributes } from '../../otel/state/point-batch.ts';

/**
 * Which input series are joined into which point: `slots[i]` goes into point `targets[i]`. Points are by the attributes that the
 * view keeps. They stay until {@link FoldPoints.forgetEmpty}.
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

  /**
   * Forgets the points that no series goes into; the others move up. Only when they are the greater part, so that it costs little
   * over time. For outputs that keep nothing by point.
   */
  forgetEmpty(): void {
    const { slots, targets, attributes } = this;
    const places = new Int32Array(attributes.length).fill(-1);
    let used = 0;
    for (let i = 0; i < slots.size; i++) {
      if (places[targets.items[i]] !== -1) continue;
      places[targets.items[i]] = 0;
      used++;
    }
    if (used * 2 > attributes.length) return;
    let to = 0;
    this.#byKey.clear();
    for (let point = 0; point < places.length; point++) {
      if (places[point] === -1) continue;
      places[point] = to;
      attributes[to] = attributes[point];
      this.#byKey.set(attributesKey(attributes[to].attributes), to++);
    }
    attributes.length = to;
    for (let i = 0; i < slots.size; i++) targets.items[i] = places[targets.items[i]];
  }
}
