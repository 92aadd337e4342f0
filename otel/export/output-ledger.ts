import type { PointsOutcome } from './reader-status.ts';

/** What became of the points of one metric, since the reader was made. */
export interface OutputLine {
  /** Empty: of requests with several metrics that a backend took in part without saying which points, and of metrics beyond the bound. */
  readonly metric: string;
  /** Points that the reader has read. */
  collected: number;
  exported: number;
  /** In requests that were taken, refused by the backend. */
  rejected: number;
  failed: number;
  superseded: number;
  dropped: number;
}

/** A line with what is still under way, and whether it all adds up. */
export interface OutputFigures extends Readonly<OutputLine> {
  readonly waiting: number;
  /** Whether collected = exported + rejected + failed + superseded + dropped + waiting. */
  readonly isBalanced: boolean;
}

/** How many points of which metrics. */
export type PointsByMetric = ReadonlyMap<string, number>;

const mostMetrics = 10_000;

/**
 * The book of what one reader sends out, by metric: every point that it read has one outcome, or is waiting for it. What is waiting is
 * not computed from the rest: those who follow the points of the collections under way tell.
 */
export class OutputLedger {
  readonly #lines = new Map<string, OutputLine>();
  readonly #waiting = new Set<() => PointsByMetric>();

  /** A collection begins. `waiting`: its points that have no outcome yet. Gives the function to call when there are none any more. */
  begin(waiting: () => PointsByMetric): () => void {
    this.#waiting.add(waiting);
    return () => this.#waiting.delete(waiting);
  }

  collected(metric: string, points: number): void {
    this.#line(metric).collected += points;
  }

  settle(outcome: PointsOutcome, points: PointsByMetric): void {
    for (const [metric, count] of points) this.#line(metric)[outcome] += count;
  }

  /** So many points of these, which were settled as exported, were refused after all. */
  reject(points: PointsByMetric, rejected: number): void {
    const [only] = points.size === 1 ? points.keys() : [];
    const line = this.#line(only ?? '');
    line.exported -= rejected;
    line.rejected += rejected;
  }

  figures(): OutputFigures[] {
    const waiting = new Map<OutputLine, number>();
    for (const source of this.#waiting)
      for (const [metric, points] of source()) {
        const line = this.#line(metric);
        waiting.set(line, (waiting.get(line) ?? 0) + points);
      }
    return [...this.#lines.values()].map((line) => {
      const { collected, exported, rejected, failed, superseded, dropped } = line;
      const under = waiting.get(line) ?? 0;
      const isBalanced = collected === exported + rejected + failed + superseded + dropped + under;
      return { ...line, waiting: under, isBalanced };
    });
  }

  #line(metric: string): OutputLine {
    const name = this.#lines.size >= mostMetrics && !this.#lines.has(metric) ? '' : metric;
    let line = this.#lines.get(name);
    if (line === undefined) {
      line = { metric: name, collected: 0, exported: 0, rejected: 0, failed: 0, superseded: 0, dropped: 0 };
      this.#lines.set(name, line);
    }
    return line;
  }
}
