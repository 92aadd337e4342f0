/** An Ack costs as much as taking in a report: reports that come at once share one, and on a busy stream those of a quarter of a second. */
const shortestDelayMs = 20;
const apartMs = 250;
/** However long the agent would wait. */
const longestDelayMs = 60_000;

/** When the reports of one stream are acknowledged: soon, but one Ack for many of them, as its agent has asked. */
export class Acknowledgements {
  readonly #send: (report: number) => void;
  readonly #apartMs: number;
  #acknowledged: number;
  #merged: number;
  /** When the last Ack was sent, by the monotonic clock; long ago when there was none. */
  #sentMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param lastReport the last one that the agent knows to be merged, from Welcome
   * @param delayMs how long the agent can do without an Ack
   */
  constructor(lastReport: number, delayMs: number, send: (report: number) => void) {
    this.#acknowledged = lastReport;
    this.#merged = lastReport;
    this.#apartMs = Math.max(apartMs, Math.min(delayMs, longestDelayMs));
    this.#send = send;
  }

  /** A report has been merged. */
  due(report: number): void {
    this.#merged = report;
    this.#timer ??= setTimeout(() => this.flush(), this.#waitMs());
  }

  /** Sends the Ack of all reports merged so far, if one is due. */
  flush(): void {
    this.stop();
    if (this.#acknowledged === this.#merged) return;
    this.#acknowledged = this.#merged;
    this.#sentMs = performance.now();
    this.#send(this.#merged);
  }

  /** Nothing is sent from here on by itself. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #waitMs(): number {
    return Math.max(shortestDelayMs, this.#sentMs + this.#apartMs - performance.now());
  }
}
