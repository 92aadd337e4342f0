import type { IntervalReduction, MemberReduction, ViewAggregation } from '../../otel/config/metric-views.ts';
import type { MetricEntry } from '../../otel/state/definitions.ts';
import type { OutputAttributes } from './output-attributes.ts';

/** How a view makes points out of the series it matches. `default` is by the metric's kind. */
export type PlanAggregation = Exclude<ViewAggregation, 'drop'>;

/** What one view makes of the metrics that it matches: OTel's "stream configuration", with what a fleet needs. */
export interface StreamPlan {
  /** Tells the outputs of different views apart: the place of the view in the configuration, from 1. */
  readonly number: number;
  /** Equal for plans that make the same totals of the same series, so that one may go on where the other stood. */
  readonly identity: string;
  /** The output's name, from the metric's own; `undefined`: the same. */
  readonly nameOf: ((own: string) => string) | undefined;
  /** `undefined`: the metric's own. */
  readonly description: string | undefined;
  /** The attributes that the output gives a series; `undefined`: its own. */
  readonly outputAttributes: OutputAttributes | undefined;
  /** Points that the output has at most, the overflow series included. `undefined`: any number. */
  readonly cardinalityLimit: number | undefined;
  readonly aggregation: PlanAggregation;
  /** How the present series of gauges and up-down sums become one; `undefined`: as the aggregation says. */
  readonly members: MemberReduction | undefined;
  /** How the values of a gauge within an export interval become one. */
  readonly overTime: IntervalReduction;
  /** A member silent for so long leaves this output's gauges and up-down sums; `undefined`: when it leaves every output. */
  readonly stalenessMs: number | undefined;
  /** Which attributes of the resource the output keeps; `undefined`: the whole resource, so that members stay apart. */
  readonly resourceKeys: readonly string[] | undefined;
}

/** Which outputs a metric has. */
export type PlansFor = (entry: MetricEntry) => readonly StreamPlan[];

/** One output of every metric, as it came. */
export const passingPlan: StreamPlan = {
  number: 0,
  identity: 'passing',
  nameOf: undefined,
  description: undefined,
  outputAttributes: undefined,
  cardinalityLimit: undefined,
  aggregation: 'default',
  members: undefined,
  overTime: 'last',
  stalenessMs: undefined,
  resourceKeys: undefined,
};

/** OpenTelemetry's default, for outputs that join series. */
export const defaultCardinalityLimit = 2000;

/** Whether a plan may join several series into one. What it joins is counted by the first-sight rule; what it does not join is handed on as it came. */
export function isMerging(plan: StreamPlan): boolean {
  return (
    plan.resourceKeys !== undefined ||
    plan.outputAttributes !== undefined ||
    plan.cardinalityLimit !== undefined ||
    plan.aggregation !== 'default'
  );
}
