import type { Clock } from '../clock.ts';

/** Kinds of event that are told apart; of further kinds nothing is said. */
const maxKeys = 64;

/**
 * Decides whether an event that may come with every report is worth a line in the log: the first of its kind is, and then one in
 * each period, with the number of those in between.
 */
export class Seldom {
  readonly #clock: Clock;
  readonly #periodMs: number;
  readonly #kinds = new Map<string, { saidMs: number; unsaid: number }>();

  constructor(clock: Clock, periodMs: number) {
    this.#clock = clock;
    this.#periodMs = periodMs;
  }

  /** How many events of the kind there were since the last line, this one included; `undefined` when no line is due. */
  due(kind: string): number | undefined {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#kinds.get(kind);
    if (known === undefined) {
      if (this.#kinds.size >= maxKeys) return undefined;
      this.#kinds.set(kind, { saidMs: nowMs, unsaid: 0 });
      return 1;
    }
    known.unsaid++;
    if (nowMs - known.saidMs < this.#periodMs) return undefined;
    const events = known.unsaid;
    known.saidMs = nowMs;
    known.unsaid = 0;
    return events;
  }

  /** The next event of the kind is a first one again. */
  forget(kind: string): void {
    this.#kinds.delete(kind);
  }
}
