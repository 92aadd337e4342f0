import type { StreamSeries } from './stream-series.ts';

interface Hold {
  /** By the monotonic clock; infinite: until the stream ends. */
  readonly untilMs: number;
  readonly stream: object;
}

/**
 * Series that a collector refused because a limit was reached. They stay in the state and are not sent until the delay
 * that came with the refusal has passed, on whatever stream; without a delay not again on that stream. Series that are not
 * held by anybody else are forgotten by themselves.
 */
export class HeldSeries {
  readonly #holds = new WeakMap<StreamSeries, Hold>();

  /**
   * @param stream whatever stands for the stream that the refusal came on
   * @param untilMs by the monotonic clock; `undefined`: no delay was given
   */
  hold(series: StreamSeries, stream: object, untilMs: number | undefined): void {
    this.#holds.set(series, { stream, untilMs: untilMs ?? Number.POSITIVE_INFINITY });
  }

  /** When a held series may be sent on this stream; `undefined` for one that is not held. */
  untilMs(series: StreamSeries, stream: object): number | undefined {
    const hold = this.#holds.get(series);
    if (hold === undefined) return undefined;
    return hold.untilMs === Number.POSITIVE_INFINITY && hold.stream !== stream ? 0 : hold.untilMs;
  }

  release(series: StreamSeries): void {
    this.#holds.delete(series);
  }
}
