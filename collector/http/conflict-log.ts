import type { Conflict, ExpositionReport } from '../../otel/prometheus/exposition-report.ts';

/** Conflicts that are remembered; when there are more, no more are logged. */
const maxRemembered = 1000;

/** Tells of each conflict once, however often it is scraped. At most a thousand are told of in the life of the process. */
export class ConflictLog {
  readonly #told = new Set<string>();
  readonly #tell: (conflict: Conflict) => void;

  constructor(tell: (conflict: Conflict) => void) {
    this.#tell = tell;
  }

  scraped({ conflicts }: ExpositionReport): void {
    for (const conflict of conflicts) {
      if (this.#told.size >= maxRemembered) return;
      const { metric, family, job, instance, cause } = conflict;
      const key = JSON.stringify([metric, family, job, instance, cause]);
      if (this.#told.has(key)) continue;
      this.#told.add(key);
      this.#tell(conflict);
    }
  }
}
