import type { IntervalReduction } from '../../otel/config/metric-views.ts';

/** A value that was reported, and the time that it stands for: since the report before it. */
interface Sample {
  readonly value: number;
  readonly weightUs: number;
}

/** What a gauge was in one reader's interval: docs/aggregation.md, "Over time". */
export class GaugeWindow {
  #samples: Sample[] = [];
  /** Up to when values stand for something. */
  #untilUs = 0;

  /** A report with a value. `isReturn`: the first one, or the first after the series was away, which stands for no time. */
  report(value: number, timeUs: number, isReturn: boolean): void {
    const weightUs = isReturn ? 0 : Math.max(0, timeUs - this.#untilUs);
    this.#samples.push({ value, weightUs });
    this.#untilUs = Math.max(this.#untilUs, timeUs);
  }

  /** A report without a value: that time stands for nothing. */
  skip(timeUs: number): void {
    this.#untilUs = Math.max(this.#untilUs, timeUs);
  }

  /** The reader has collected: its next interval begins. */
  close(): void {
    this.#samples = [];
  }

  /** `value` is what the gauge is now. */
  reduce(how: IntervalReduction, value: number): number {
    if (how === 'last') return value;
    const numbers = this.#samples.map((sample) => sample.value).filter((number) => !Number.isNaN(number));
    if (how === 'min' || how === 'max')
      return numbers.length === 0 ? value : (how === 'min' ? Math.min : Math.max)(...numbers);
    const weighted = this.#samples.filter(({ weightUs }) => weightUs > 0);
    const totalUs = weighted.reduce((total, { weightUs }) => total + weightUs, 0);
    if (totalUs === 0) return value;
    return weighted.reduce((total, sample) => total + sample.value * sample.weightUs, 0) / totalUs;
  }
}
