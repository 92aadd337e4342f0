import { metricFromDefinition } from '../../otel/model/definitions.ts';
import { type MetricDescription, metric, metricKey } from '../../otel/model/metric.ts';
import { type Resource, resourceKey } from '../../otel/model/resource.ts';
import { type InstrumentationScope, scopeKey } from '../../otel/model/scope.ts';
import { InvalidDataError } from '../../proto/error.ts';
import type { MetricDefinition } from '../../proto/messages/define.ts';
import { attributesFromJson, attributesToJson, type Json, listOf } from './attribute-json.ts';
import type { AgentSeries } from './sampling-group.ts';

/** A monotonic sum of the agent's own with its life: as much of a series as outlives the agent. */
export interface SavedSeries {
  /** Without a beginning in its epoch: that is `beganBootMs`. */
  readonly series: AgentSeries;
  /** When its epoch began, by the clock that runs since the boot, in milliseconds; `undefined`: not known. */
  readonly beganBootMs: number | undefined;
}

/** A list of things that are told once and then by their places. */
class Table<T> {
  readonly entries: Json[] = [];
  readonly #places = new Map<string, number>();
  readonly #keyOf: (thing: T) => string;
  readonly #toJson: (thing: T) => Json;

  constructor(keyOf: (thing: T) => string, toJson: (thing: T) => Json) {
    this.#keyOf = keyOf;
    this.#toJson = toJson;
  }

  placeOf(thing: T): number {
    const key = this.#keyOf(thing);
    let place = this.#places.get(key);
    if (place === undefined) {
      place = this.entries.push(this.#toJson(thing)) - 1;
      this.#places.set(key, place);
    }
    return place;
  }
}

const resourceToJson = ({ attributes, schemaUrl }: Resource): Json => ({
  attributes: attributesToJson(attributes),
  schemaUrl,
});

const scopeToJson = ({ name, version, attributes, schemaUrl }: InstrumentationScope): Json => ({
  name,
  version,
  attributes: attributesToJson(attributes),
  schemaUrl,
});

const metricToJson = ({ name, unit, description, valueType }: MetricDescription): Json => ({
  name,
  unit,
  description,
  valueType,
});

/** Series as JSON, in their order; what they share stands there once. */
export function definitionsToJson(list: Iterable<SavedSeries>): Json {
  const resources = new Table<Resource>(resourceKey, resourceToJson);
  const scopes = new Table<InstrumentationScope>(scopeKey, scopeToJson);
  const metrics = new Table<MetricDescription>(
    (m) => `${metricKey(m)}${JSON.stringify(m.description)}`,
    metricToJson,
  );
  const series: Json[] = [];
  for (const { series: one, beganBootMs } of list) {
    series.push({
      ...(one.resource === undefined ? {} : { resource: resources.placeOf(one.resource) }),
      scope: scopes.placeOf(one.scope),
      metric: metrics.placeOf(one.metric),
      attributes: attributesToJson(one.attributes),
      epoch: one.epoch?.token ?? '',
      beganBootMs: beganBootMs ?? null,
      startTimeUs: one.startTimeUs ?? 0,
    });
  }
  return { resources: resources.entries, scopes: scopes.entries, metrics: metrics.entries, series };
}

/** @throws InvalidDataError for what definitionsToJson never makes */
export function definitionsFromJson(json: unknown): SavedSeries[] {
  const { resources, scopes, metrics, series } = objectOf(json);
  const allResources = listOf(resources).map(resourceFrom);
  const allScopes = listOf(scopes).map((scope): InstrumentationScope => {
    const { name, version } = objectOf(scope);
    return { name: textOf(name), version: textOf(version), ...resourceFrom(scope) };
  });
  const allMetrics = listOf(metrics).map(metricFrom);
  return listOf(series).map((one) => {
    const { resource, scope, metric: of, attributes, epoch, beganBootMs, startTimeUs } = objectOf(one);
    return {
      beganBootMs: beganBootMs === null ? undefined : numberOf(beganBootMs),
      series: {
        ...(resource === undefined ? {} : { resource: at(allResources, resource) }),
        scope: at(allScopes, scope),
        metric: at(allMetrics, of),
        attributes: attributesFromJson(attributes),
        epoch: { token: textOf(epoch), beganMs: undefined },
        startTimeUs: numberOf(startTimeUs),
      },
    };
  });
}

function resourceFrom(json: unknown): Resource {
  const { attributes, schemaUrl } = objectOf(json);
  return { attributes: attributesFromJson(attributes), schemaUrl: textOf(schemaUrl) };
}

function metricFrom(json: unknown, place: number): MetricDescription {
  const { name, unit, description, valueType } = objectOf(json);
  if (valueType !== 'int' && valueType !== 'double')
    throw new InvalidDataError(`${JSON.stringify(valueType)?.slice(0, 64)} is neither int nor double`);
  const definition = metric({
    name: textOf(name),
    unit: textOf(unit),
    description: textOf(description),
    kind: 'sum',
    isMonotonic: true,
    valueType,
  });
  return metricFromDefinition(
    { ...definition, number: 1, scope: 0 } as MetricDefinition,
    `metrics[${place}]`,
  );
}

function at<T>(list: readonly T[], place: unknown): T {
  const found = typeof place === 'number' ? list[place] : undefined;
  if (found === undefined)
    throw new InvalidDataError(`there is no entry ${JSON.stringify(place)} in its list`);
  return found;
}

/** @throws InvalidDataError for anything but an object */
export function objectOf(json: unknown): Readonly<Record<string, unknown>> {
  if (typeof json === 'object' && json !== null && !Array.isArray(json))
    return json as Readonly<Record<string, unknown>>;
  throw new InvalidDataError(`${JSON.stringify(json)?.slice(0, 64)} is no object`);
}

/** @throws InvalidDataError for anything but text */
export function textOf(json: unknown): string {
  if (typeof json === 'string') return json;
  throw new InvalidDataError(`${JSON.stringify(json)?.slice(0, 64)} is no text`);
}

/** @throws InvalidDataError for anything but a number from 0 on */
export function numberOf(json: unknown): number {
  if (typeof json === 'number' && json >= 0) return json;
  throw new InvalidDataError(`${JSON.stringify(json)?.slice(0, 64)} is no number from 0 on`);
}
