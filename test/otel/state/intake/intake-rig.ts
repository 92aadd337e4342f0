import { attributes } from '../../../../otel/model/attributes.ts';
import { type MetricDescription, metric } from '../../../../otel/model/metric.ts';
import { emptyResource, type Resource } from '../../../../otel/model/resource.ts';
import { emptyScope } from '../../../../otel/model/scope.ts';
import { PointIntake } from '../../../../otel/state/intake/point-intake.ts';
import type { PointRules } from '../../../../otel/state/intake/point-rules.ts';
import type { Member } from '../../../../otel/state/members.ts';
import { MetricStore } from '../../../../otel/state/metric-store.ts';
import { present, withoutValue } from '../../../../otel/state/series-columns.ts';

export const second = 1_000_000;
/** The store's clock and the sources' have nothing to do with one another. */
export const birthUs = 1_000 * second;

export const counter = metric({ name: 'jobs', kind: 'sum', isMonotonic: true });
export const upDown = metric({ name: 'open', kind: 'sum' });
export const gauge = metric({ name: 'load', kind: 'gauge' });
export const histogram = metric({ name: 'took', kind: 'histogram', explicitBounds: [1, 10], hasSum: true });
export const summary = metric({ name: 'size', kind: 'summary', quantiles: [0.5, 0.99] });

/** A store with an intake and one member; series are named by an attribute. */
export class IntakeRig {
  readonly store: MetricStore;
  readonly intake: PointIntake;
  member: Member;
  /** Of the series that was taken in last. */
  slot = 0;

  constructor(rules: Partial<PointRules> = {}) {
    this.store = new MetricStore(birthUs, (_state, slot) => {
      this.slot = slot;
    });
    this.intake = new PointIntake(this.store, { delayMarginUs: 0, ...rules });
    this.member = this.store.join('m', emptyResource, birthUs);
  }

  define(description: MetricDescription, name = '', resource?: Resource): number {
    const input = { scope: emptyScope, metric: description, attributes: attributes({ name }), resource };
    const handle = this.intake.define(this.member, input, birthUs);
    if (typeof handle !== 'number') throw new Error(`not defined: ${handle}`);
    return handle;
  }

  /** What a sum shows: to passing outputs its value since when and at what time, to merging ones what it counted. */
  sum(slot = this.slot): { value: number; counted: number; startUs: number; timeUs: number } {
    const { sums, timesUs } = this.store;
    const { series } = sums;
    return {
      value: sums.values.get(slot),
      counted: sums.counted(slot),
      startUs: series.startTimeUs.get(slot),
      timeUs: timesUs[series.clock.get(slot)]!,
    };
  }

  isPresent(description: MetricDescription, slot = this.slot): boolean {
    return (this.store.stateOf(description.kind).series.status.get(slot) & present) !== 0;
  }

  isWithoutValue(description: MetricDescription, slot = this.slot): boolean {
    return (this.store.stateOf(description.kind).series.status.get(slot) & withoutValue) !== 0;
  }
}
