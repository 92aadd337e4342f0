import type { AgentSeries } from '../state/sampling-group.ts';

interface Hold {
  /** By the monotonic clock; infinite: until the stream ends. */
  readonly untilMs: number;
  readonly stream: object;
}

/**
 * Series that a collector refused because a limit was reached. They stay in the agent's state and are not sent until the delay
 * that came with the refusal has passed, on whatever stream; without a delay not again on that stream. Series that the agent has
 * let go of are forgotten by themselves.
 */
export class HeldSeries {
  readonly #holds = new WeakMap<AgentSeries, Hold>();

  /**
   * @param stream whatever stands for the stream that the refusal came on
   * @param untilMs by the monotonic clock; `undefined`: no delay was given
   */
  hold(series: AgentSeries, stream: object, untilMs: number | undefined): void {
    this.#holds.set(series, { stream, untilMs: untilMs ?? Number.POSITIVE_INFINITY });
  }

  /** When a held series may be sent on this stream; `undefined` for one that is not held. */
  untilMs(series: AgentSeries, stream: object): number | undefined {
    const hold = this.#holds.get(series);
    if (hold === undefined) return undefined;
    return hold.untilMs === Number.POSITIVE_INFINITY && hold.stream !== stream ? 0 : hold.untilMs;
  }

  release(series: AgentSeries): void {
    this.#holds.delete(series);
  }
}
