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

export type ViewAggregation = 'default' | 'drop' | 'sum' | 'last_value';

export interface ViewStream {
  /** Without these the instrument's own hold. */
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  /** Which attributes stay, as patterns with `*` and `?`; `excluded` counts after `included`. `undefined`: all. */
  readonly attributeKeys?: AttributeKeys | undefined;
  readonly aggregation: ViewAggregation;
  /** The resource attributes that the output keeps. Given, the view is merging; `undefined`, it is passing. */
  readonly resourceKeys?: readonly string[] | undefined;
}

export interface AttributeKeys {
  readonly included?: readonly string[] | undefined;
  readonly excluded?: readonly string[] | undefined;
}

export interface ViewConfig {
  readonly selector: ViewSelector;
  readonly stream: ViewStream;
}
