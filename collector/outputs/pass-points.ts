import { Uint32List } from '../../otel/state/columns.ts';
import type { SeriesDefinition } from '../../otel/state/definitions.ts';
import { isReleasable } from '../../otel/state/ended-series.ts';
import type { SeriesAttributes } from '../../otel/state/point-batch.ts';
import type { SeriesColumns } from '../../otel/state/series-columns.ts';

/** The input series that are handed on as they came, a point each: point `i` is that of `slots[i]`. */
export class PassPoints {
  readonly slots = new Uint32List();
  readonly attributes: SeriesAttributes[] = [];

  get size(): number {
    return this.slots.size;
  }

  attach(slot: number, definition: SeriesDefinition): void {
    this.slots.push(slot);
    this.attributes.push(definition.attributes);
  }

  /** Lets go of the series that ended before then; `moved` is told where the last point goes instead. */
  sweep(series: SeriesColumns, beforeS: number, moved?: (from: number, to: number) => void): void {
    const { slots, attributes } = this;
    for (let i = slots.size - 1; i >= 0; i--) {
      if (!isReleasable(series, slots.items[i], beforeS)) continue;
      const last = --slots.size;
      slots.items[i] = slots.items[last];
      attributes[i] = attributes[last];
      attributes.length = last;
      moved?.(last, i);
    }
  }
}
