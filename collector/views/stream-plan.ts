import type { Attributes } from '../../otel/model/attributes.ts';
import type { MetricEntry } from '../../otel/state/definitions.ts';

/** How a view makes points out of the series it matches. `default` is by the metric's kind. */
export type ViewAggregation = 'default' | 'sum' | 'last_value';

/** What one view makes of one metric: OTel's "stream configuration", with what a fleet needs. */
export interface StreamPlan {
  /** Tells the outputs of different views apart. */
  readonly number: number;
  /** `undefined`: the metric's own. */
  readonly name: string | undefined;
  readonly description: string | undefined;
  /** The attributes that the output gives a series; `undefined`: its own. */
  readonly outputAttributes: ((attributes: Attributes) => Attributes) | undefined;
  /** Points that the output has at most, the overflow series included. `undefined`: any number. */
  readonly cardinalityLimit: number | undefined;
  readonly aggregation: ViewAggregation;
  /** Which attributes of the resource the output keeps; `undefined`: the whole resource, so that members stay apart. */
  readonly resourceKeys: readonly string[] | undefined;
}

/** Which outputs a metric has. */
export type PlansFor = (entry: MetricEntry) => readonly StreamPlan[];

/** One output of every metric, as it came. */
export const passingPlan: StreamPlan = {
  number: 0,
  name: undefined,
  description: undefined,
  outputAttributes: undefined,
  cardinalityLimit: undefined,
  aggregation: 'default',
  resourceKeys: undefined,
};

/** Whether a plan may join several series into one. What it joins is counted by the first-sight rule; what it does not join is handed on as it came. */
export function isMerging(plan: StreamPlan): boolean {
  return (
    plan.resourceKeys !== undefined ||
    plan.outputAttributes !== undefined ||
    plan.cardinalityLimit !== undefined ||
    plan.aggregation !== 'default'
  );
}
