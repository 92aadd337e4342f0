import { StreamgaugeError } from '../../proto/error.ts';

interface Waiting {
  /** Of the state: what must have been acknowledged. */
  readonly collection: number;
  /** The report that holds it, on the present stream; 0: none yet. */
  report: number;
  /** What of that report was refused. */
  refused: string;
  readonly settle: () => void;
}

/** Why something is not acknowledged, and whether all else has been delivered. */
export interface Fate {
  readonly what: string;
  readonly why: string;
  readonly isWhole: boolean;
}

/** Waits that there may be at one time: beyond, the oldest one is told so. */
const maxWaiting = 1000;

/** Who waits for what was exported to be acknowledged, over all streams. */
export class Deliveries {
  readonly #endpoint: string;
  readonly #waiting = new Set<Waiting>();
  /** The last report of the present stream, and the collection that it held. */
  #cut = { report: 0, collection: -1 };
  #acknowledged = 0;

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
  }

  /**
   * Resolves when the collection was acknowledged, and rejects when part of it was refused or is held back, or after the timeout. Keeps the
   * process alive meanwhile, since nothing else does.
   */
  wait(collection: number, timeoutMs: number, fate: () => Fate): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (what: string, why: string) =>
        reject(
          new StreamgaugeError(
            'deadline',
            `StreamMetricExporter: ${what} to ${this.#endpoint}${why === '' ? '' : `: ${why}`}`,
          ),
        );
      const timer = setTimeout(() => {
        this.#waiting.delete(waiting);
        const { what, why } = fate();
        fail(`${what} within ${timeoutMs} ms`, why);
      }, timeoutMs);
      const waiting: Waiting = {
        collection,
        report: this.#cut.collection >= collection ? this.#cut.report : 0,
        refused: '',
        settle: () => {
          clearTimeout(timer);
          this.#waiting.delete(waiting);
          const { what, why, isWhole } = fate();
          if (waiting.refused !== '')
            fail('not all values were delivered', `the collector refused ${waiting.refused}`);
          else if (isWhole) resolve();
          else fail(what, why);
        },
      };
      this.#waiting.add(waiting);
      const [oldest] = this.#waiting;
      if (this.#waiting.size > maxWaiting && oldest !== undefined) oldest.settle();
      this.#settle(waiting);
    });
  }

  /** A stream begins: what its collector has not committed is reported anew. */
  welcomed(lastReport: number): void {
    this.acknowledged(lastReport);
    this.#cut = { report: 0, collection: -1 };
    for (const waiting of this.#waiting) waiting.report = 0;
  }

  /** A report was sent. @param report 0: there was nothing to report */
  cut(report: number, collection: number): void {
    this.#cut = { report, collection };
    for (const waiting of this.#waiting) {
      if (waiting.report === 0 && waiting.collection <= collection) waiting.report = report;
      this.#settle(waiting);
    }
  }

  refused(report: number, what: string): void {
    for (const waiting of this.#waiting) if (waiting.report === report) waiting.refused = what;
  }

  /** All reports up to this one are committed. */
  acknowledged(report: number): void {
    this.#acknowledged = Math.max(this.#acknowledged, report);
    for (const waiting of this.#waiting) this.#settle(waiting);
  }

  /** The stream has ended for good. */
  end(): void {
    for (const waiting of this.#waiting) waiting.settle();
  }

  #settle(waiting: Waiting): void {
    const isCut = waiting.report > 0 || this.#cut.collection >= waiting.collection;
    if (isCut && waiting.report <= this.#acknowledged) waiting.settle();
  }
}
