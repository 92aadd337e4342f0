import type { NotCountedLine } from './state-content.ts';

/** Lines of single metrics; what comes beyond is booked on one without a name. */
const maxLines = 1000;

/** The agent's book of what it counted and tells nobody, by metric and cause. It outlives the agent in the state file. */
export class NotCounted {
  /** Rises with every booking. */
  version = 0;
  readonly #lines = new Map<string, NotCountedLine>();

  get lines(): NotCountedLine[] {
    return [...this.#lines.values()];
  }

  add({ metric, cause, series, amount }: NotCountedLine): void {
    let key = `${cause} ${metric}`;
    if (!this.#lines.has(key) && this.#lines.size >= maxLines) {
      metric = '';
      key = `${cause} `;
    }
    const booked = this.#lines.get(key);
    this.#lines.set(key, {
      metric,
      cause,
      series: (booked?.series ?? 0) + series,
      amount: (booked?.amount ?? 0) + amount,
    });
    this.version++;
  }
}
