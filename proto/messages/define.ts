import { InvalidDataError } from '../error.ts';
import type { KeyValue } from './any-value.ts';
import { integer, type LoaderMessage, named, withoutDefaults } from './loader.ts';

/** Definitions of what later reports speak of. What the fields mean stands in the .proto. */
export interface Define {
  readonly type: 'define';
  readonly resources: readonly ResourceDefinition[];
  readonly scopes: readonly ScopeDefinition[];
  readonly metrics: readonly MetricDefinition[];
  readonly epochs: readonly EpochDefinition[];
  readonly series: readonly SeriesDefinition[];
}

export interface ResourceDefinition {
  readonly number: number;
  readonly attributes: readonly KeyValue[];
  readonly schemaUrl: string;
}

export interface ScopeDefinition {
  readonly number: number;
  readonly name: string;
  readonly version: string;
  readonly attributes: readonly KeyValue[];
  readonly schemaUrl: string;
}

const kinds = ['unspecified', 'sum', 'gauge', 'histogram', 'exponential_histogram', 'summary'] as const;
const valueTypes = ['unspecified', 'int', 'double'] as const;

export interface MetricDefinition {
  readonly number: number;
  readonly scope: number;
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  /** Kinds that this version does not know are `unspecified`. */
  readonly kind: (typeof kinds)[number];
  readonly isMonotonic: boolean;
  readonly valueType: (typeof valueTypes)[number];
  readonly explicitBounds: readonly number[];
  readonly quantiles: readonly number[];
  readonly hasSum: boolean;
  readonly hasMin: boolean;
  readonly hasMax: boolean;
}

export interface EpochDefinition {
  readonly number: number;
  /** At most 64 bytes. */
  readonly token: Uint8Array;
  /** When the epoch began, relative to the arrival of Welcome at the agent, in microseconds; `undefined`: not known. */
  readonly beganUs: number | undefined;
}

export interface SeriesDefinition {
  /** From 1, ascending within a Define. */
  readonly number: number;
  readonly resource: number;
  readonly metric: number;
  readonly attributes: readonly KeyValue[];
  readonly group: number;
  readonly epoch: number;
  /** Microseconds since the Unix epoch; 0: unknown. */
  readonly startTimeUs: number;
}

export const maxEpochTokenBytes = 64;

/** Numbers that are one more than the series before are left out, as the .proto allows. */
export function defineTo(message: Define): LoaderMessage {
  let next = 0;
  return {
    resources: message.resources.map(withoutDefaults),
    scopes: message.scopes.map(withoutDefaults),
    metrics: message.metrics.map((metric) =>
      withoutDefaults({
        ...metric,
        kind: kinds.indexOf(metric.kind),
        valueType: valueTypes.indexOf(metric.valueType),
      }),
    ),
    epochs: message.epochs.map(({ number, token, beganUs }) =>
      beganUs === undefined ? { number, token } : { number, token, beganUs: String(beganUs) },
    ),
    series: message.series.map((series) => {
      const number = series.number === next ? 0 : series.number;
      next = series.number + 1;
      return withoutDefaults({ ...series, number, startTimeUs: String(series.startTimeUs) });
    }),
  };
}

export function defineFrom(message: LoaderMessage): Define {
  for (const list of ['resources', 'scopes', 'metrics', 'epochs'])
    message[list].forEach(({ number }: { number: number }, i: number) => {
      if (number === 0)
        throw new InvalidDataError('0 is not allowed; numbers start at 1', {
          fieldPath: `${list}[${i}].number`,
        });
    });
  for (const metric of message.metrics) {
    metric.kind = named(kinds, metric.kind);
    metric.valueType = named(valueTypes, metric.valueType);
  }
  message.epochs.forEach(epochFrom);
  let previous = 0;
  message.series.forEach((series: LoaderMessage, i: number) => {
    previous = seriesFrom(series, i, previous);
  });
  const { resources, scopes, metrics, epochs, series } = message;
  return { type: 'define', resources, scopes, metrics, epochs, series };
}

function epochFrom(epoch: LoaderMessage, i: number): void {
  if (epoch.token.length > maxEpochTokenBytes)
    throw new InvalidDataError(`has ${epoch.token.length} bytes; at most ${maxEpochTokenBytes} are allowed`, {
      fieldPath: `epochs[${i}].token`,
    });
  epoch.beganUs = epoch.beganUs === undefined ? undefined : integer(epoch.beganUs, `epochs[${i}].began_us`);
  delete epoch._beganUs;
}

/** Gives the series' number, which is filled in when it was left out. */
function seriesFrom(series: LoaderMessage, i: number, previous: number): number {
  if (series.number === 0) {
    if (i === 0)
      throw new InvalidDataError('the first series of a Define gives its number', {
        fieldPath: 'series[0].number',
      });
    series.number = previous + 1;
  }
  if (series.number <= previous || series.number >= 2 ** 32)
    throw new InvalidDataError(`${series.number} comes after ${previous}; numbers ascend, below 2^32`, {
      fieldPath: `series[${i}].number`,
    });
  series.startTimeUs = integer(series.startTimeUs, `series[${i}].start_time_us`);
  return series.number;
}
