/** The kinds of metric data of OTLP. */
export type MetricKind = 'sum' | 'gauge' | 'histogram' | 'exponential_histogram' | 'summary';

export type ValueType = 'int' | 'double';

/** Delta: each point holds what was counted since the point before. Cumulative: since the start time. */
export type Temporality = 'delta' | 'cumulative';

/** What a metric is, after OTLP's Metric, without its points. */
export interface MetricDescription {
  readonly name: string;
  /** UCUM: `By`, `s`, `{packet}`. */
  readonly unit: string;
  readonly description: string;
  readonly kind: MetricKind;
  /** Sums: the value never goes down within an epoch. */
  readonly isMonotonic: boolean;
  /** Sums and gauges: the type of the values. */
  readonly valueType: ValueType;
  /** Explicit histograms: upper bounds, ascending; one bucket more than bounds. */
  readonly explicitBounds: readonly number[];
  /** Summaries: the quantiles, ascending. */
  readonly quantiles: readonly number[];
  /** Histograms: which of these their points hold. */
  readonly hasSum: boolean;
  readonly hasMin: boolean;
  readonly hasMax: boolean;
}

/** A description with every field given, from what matters. Sums and gauges of doubles unless told otherwise. */
export function metric(
  description: Pick<MetricDescription, 'name' | 'kind'> & Partial<MetricDescription>,
): MetricDescription {
  return {
    unit: '',
    description: '',
    isMonotonic: false,
    valueType: 'double',
    explicitBounds: [],
    quantiles: [],
    hasSum: false,
    hasMin: false,
    hasMax: false,
    ...description,
  };
}

/** Equal for metrics whose points belong together: all but the description, which is for people. */
export function metricKey(m: MetricDescription): string {
  const flags = `${m.isMonotonic ? 'm' : ''}${m.hasSum ? 's' : ''}${m.hasMin ? '<' : ''}${m.hasMax ? '>' : ''}`;
  return `${m.name.length}:${m.name}${m.unit.length}:${m.unit}${m.kind},${m.valueType},${flags},${m.explicitBounds.join(' ')},${m.quantiles.join(' ')}`;
}
