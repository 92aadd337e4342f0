// What a file's `meter_provider.views` comes to.

export type InstrumentType =
  | 'counter'
  | 'gauge'
  | 'histogram'
  | 'observable_counter'
  | 'observable_gauge'
  | 'observable_up_down_counter'
  | 'up_down_counter';

/** Which instruments a view is about: all that are given must hold. */
export interface ViewSelector {
  /** `*` stands for any characters and none, `?` for one. */
  readonly instrumentName?: string | undefined;
  /** OTLP does not tell synchronous from asynchronous instruments: `counter` and `observable_counter` select the same. */
  readonly instrumentType?: InstrumentType | undefined;
  readonly unit?: string | undefined;
  readonly meterName?: string | undefined;
  readonly meterVersion?: string | undefined;
  readonly meterSchemaUrl?: string | undefined;
}

export type ViewAggregation =
  | 'default'
  | 'drop'
  | 'sum'
  | 'last_value'
  | ExplicitHistogramAggregation
  | ExponentialHistogramAggregation;

export interface ExplicitHistogramAggregation {
  readonly kind: 'explicit_bucket_histogram';
  /** Upper bounds, ascending. `undefined`: those of the first series. */
  readonly boundaries: readonly number[] | undefined;
}

export interface ExponentialHistogramAggregation {
  readonly kind: 'base2_exponential_bucket_histogram';
  /** The finest scale: -10 to 20. */
  readonly maxScale: number;
  /** Buckets in each of the positive and negative ranges at most: at least 2. */
  readonly maxSize: number;
  /** Of distributions over members; histograms that are joined have neither. */
  readonly recordMinMax: boolean;
}

/** How the present members of gauges and up-down sums become one. `distribution`: an exponential histogram over them. */
export type MemberReduction = 'last' | 'min' | 'max' | 'mean' | 'sum' | 'count' | 'distribution';

/** How the values that a gauge took within an export interval become one. */
export type IntervalReduction = 'last' | 'min' | 'max' | 'mean';

/** A metric's name that matches `from` becomes `to`, in which each `*` stands for what the one at its place in `from` does. */
export interface MetricRenaming {
  readonly from: string;
  readonly to: string;
}

export interface ViewStream {
  /** Without these the instrument's own hold. */
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  /** Which attributes stay, as patterns with `*` and `?`; `excluded` counts after `included`. `undefined`: all. */
  readonly attributeKeys?: AttributeKeys | undefined;
  readonly aggregation: ViewAggregation;
  /** Points of one metric at most. `undefined`: the default where series are joined, no limit elsewhere. */
  readonly cardinalityLimit?: number | undefined;
  /** The resource attributes that the output keeps. Given, the view joins members; `undefined`, they stay apart. */
  readonly resourceKeys?: readonly string[] | undefined;
  /** `undefined`: as the aggregation says. */
  readonly members?: MemberReduction | undefined;
  /** `undefined`: last. */
  readonly overTime?: IntervalReduction | undefined;
  /** A member silent for so long leaves gauges and up-down sums. `undefined`: the collector's. */
  readonly stalenessMs?: number | undefined;
  /** Attributes that get another key. */
  readonly renameAttributes?: Readonly<Record<string, string>> | undefined;
  readonly renameMetric?: MetricRenaming | undefined;
  /** The key of an attribute that holds the metric's own name. */
  readonly metricNameAttribute?: string | undefined;
}

export interface AttributeKeys {
  readonly included?: readonly string[] | undefined;
  readonly excluded?: readonly string[] | undefined;
}

export interface ViewConfig {
  readonly selector: ViewSelector;
  readonly stream: ViewStream;
}

/** Whether a view may make one series of several: it joins members, takes attributes away or changes them, aggregates, or has a limit. */
export function joinsSeries(stream: ViewStream): boolean {
  return (
    stream.resourceKeys !== undefined ||
    changesAttributes(stream) ||
    stream.aggregation !== 'default' ||
    stream.cardinalityLimit !== undefined
  );
}

/** Whether series have other attributes in a view's output than their own. */
export function changesAttributes({
  attributeKeys,
  renameAttributes,
  metricNameAttribute,
}: ViewStream): boolean {
  return (
    attributeKeys?.included !== undefined ||
    attributeKeys?.excluded !== undefined ||
    renameAttributes !== undefined ||
    metricNameAttribute !== undefined
  );
}
