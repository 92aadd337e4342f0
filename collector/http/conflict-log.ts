import type { Conflict, ExpositionReport } from '../../otel/prometheus/exposition-report.ts';

/** Conflicts that are remembered; when there are more, no more are logged. */
const maxRemembered = 1000;

/** Tells of each conflict once, however often it is scraped. At most a thousand are told of in the life of the process. */
export class ConflictLog {
  readonly #told = new Set<string>();
  readonly #tell: (conflict: Conflict, message: string) => void;

  constructor(tell: (conflict: Conflict, message: string) => void) {
    this.#tell = tell;
  }

  scraped({ conflicts }: ExpositionReport): void {
    for (const conflict of conflicts) {
      if (this.#told.size >= maxRemembered) return;
      const { metric, family, job, instance, cause } = conflict;
      // Which metric is met first may change from scrape to scrape; that a target is there twice does not.
      const what = cause === 'duplicate_series' ? [] : [metric, family];
      const key = JSON.stringify([job, instance, cause, ...what]);
      if (this.#told.has(key)) continue;
      this.#told.add(key);
      this.#tell(conflict, messageOf(conflict));
    }
  }
}

function messageOf({ job, instance, cause }: Conflict): string {
  if (cause !== 'duplicate_series') return 'metrics cannot be shown together at /metrics; the first one is';
  return `two sources are job ${JSON.stringify(job)}, instance ${JSON.stringify(instance)} at /metrics, and series that both have are shown of the first only: stop one of them, or give its resource a host.name or service.instance.id of its own`;
}
