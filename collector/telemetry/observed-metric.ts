import { type Attributes, type Meter, type ObservableResult, ValueType } from '@opentelemetry/api';

/** Gives a value, and the attributes where a metric has several series. */
export type Emit = (value: number, attributes?: Attributes) => void;

/** A metric whose value is read when it is collected. */
export interface ObservedMetric<Source> {
  readonly name: string;
  readonly kind: 'counter' | 'up_down_counter' | 'gauge';
  /** UCUM. */
  readonly unit: string;
  /** One sentence, as in docs/metrics.md. */
  readonly description: string;
  /** Attribute keys; their values come from small fixed sets. */
  readonly attributes?: readonly string[];
  observe(source: Source, emit: Emit): void;
}

/** Makes the instruments of the metrics. */
export function registerObserved<Source>(
  meter: Meter,
  metrics: readonly ObservedMetric<Source>[],
  source: Source,
): void {
  for (const { name, kind, unit, description, observe } of metrics) {
    const valueType = unit.startsWith('{') || unit === 'By' ? ValueType.INT : ValueType.DOUBLE;
    const options = { unit, description, valueType };
    const instrument =
      kind === 'counter'
        ? meter.createObservableCounter(name, options)
        : kind === 'gauge'
          ? meter.createObservableGauge(name, options)
          : meter.createObservableUpDownCounter(name, options);
    instrument.addCallback((result: ObservableResult) =>
      observe(source, (value, attributes) => result.observe(value, attributes)),
    );
  }
}

/** Emits the fields of a record of counts, each with its name under a key. */
export function emitEach(emit: Emit, key: string, counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) emit(count, { [key]: name });
}
