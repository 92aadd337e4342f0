import type { SeriesColumns } from '../../otel/state/series-columns.ts';

/** Which series are in an output of which view: a bit for each slot of a kind. */
export class SlotMarks {
  readonly #marks = new Map<number, Map<SeriesColumns, Uint8Array>>();

  /** Gives whether it was marked already. */
  mark(view: number, series: SeriesColumns, slot: number): boolean {
    const bits = this.#bits(view, series);
    const bit = 1 << (slot & 7);
    const isMarked = (bits[slot >>> 3] & bit) !== 0;
    bits[slot >>> 3] |= bit;
    return isMarked;
  }

  #bits(view: number, series: SeriesColumns): Uint8Array {
    const ofView = this.#marks.get(view) ?? new Map<SeriesColumns, Uint8Array>();
    this.#marks.set(view, ofView);
    const bits = ofView.get(series) ?? new Uint8Array((series.length >>> 3) + 1);
    ofView.set(series, bits);
    return bits;
  }
}
