import type { SavedFall } from './state-content.ts';

/** Series with a record; beyond, the oldest goes: it costs its counter one first value, which is set aside as a baseline. */
const maxFalls = 10_000;

/**
 * Which life a series is in beside the one that its source tells: how often its counter fell, or was taken up after it had been
 * refused. A run of the agent that did not know would go back to a token that collectors have seen the end of.
 */
export class EpochFalls {
  /** Rises with every change. */
  version = 0;
  readonly #bySeries = new Map<string, SavedFall>();

  get size(): number {
    return this.#bySeries.size;
  }

  get all(): Iterable<SavedFall> {
    return this.#bySeries.values();
  }

  /** What stands behind the source's token; `undefined`: nothing, or the source tells another life. */
  suffixOf(series: string, base: string): string | undefined {
    const fall = this.#bySeries.get(series);
    return fall?.base === base ? fall.suffix : undefined;
  }

  note(fall: SavedFall): void {
    const known = this.#bySeries.get(fall.series);
    if (known?.base === fall.base && known.suffix === fall.suffix) return;
    this.#bySeries.delete(fall.series);
    this.#bySeries.set(fall.series, fall);
    const [oldest] = this.#bySeries.keys();
    if (this.#bySeries.size > maxFalls && oldest !== undefined) this.#bySeries.delete(oldest);
    this.version++;
  }

  /** The life that the source told never returns. */
  forget(series: string): void {
    if (this.#bySeries.delete(series)) this.version++;
  }
}
