/** How long what comes again and again stays unmentioned. */
const periodMs = 60_000;
/** Kinds that are told apart; further ones with the same cause are one kind. */
const maxKinds = 256;

/** For what strangers can bring about as often as they like: of each kind the first is told of, and then one in each minute. */
export class Seldom {
  readonly #nowMs: () => number;
  readonly #kinds = new Map<string, { saidMs: number; unsaid: number }>();

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** How many there were since the last one that was told of, this one included; `undefined` when none is due. */
  due(kind: string, cause: string): number | undefined {
    const nowMs = this.#nowMs();
    let key = kind;
    if (!this.#kinds.has(kind) && this.#kinds.size >= maxKinds) {
      for (const [old, { saidMs }] of this.#kinds) if (nowMs - saidMs >= periodMs) this.#kinds.delete(old);
      if (this.#kinds.size >= maxKinds) key = cause;
    }
    const known = this.#kinds.get(key);
    if (known === undefined) {
      this.#kinds.set(key, { saidMs: nowMs, unsaid: 0 });
      return 1;
    }
    known.unsaid++;
    if (nowMs - known.saidMs < periodMs) return undefined;
    const times = known.unsaid;
    known.saidMs = nowMs;
    known.unsaid = 0;
    return times;
  }
}
