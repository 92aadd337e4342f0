import type { MetricDescription, Temporality } from '../../otel/model/metric.ts';

const known = new WeakMap<MetricDescription, Map<Temporality | undefined, string>>();

/** What a metric stream is named by, all that a backend tells it apart by included: streams in conflict have several names. */
export function streamName(metric: MetricDescription, temporality: Temporality | undefined): string {
  let names = known.get(metric);
  if (names === undefined) {
    names = new Map();
    known.set(metric, names);
  }
  let name = names.get(temporality);
  if (name === undefined) {
    name = made(metric, temporality);
    names.set(temporality, name);
  }
  return name;
}

const joinedNames = new WeakMap<object, Map<string, string>>();

/** Two names in one, remembered with what the second one is of: most names are asked for again after every step. */
export function joinedName(first: string, of: object, second: string): string {
  let names = joinedNames.get(of);
  if (names === undefined) {
    names = new Map();
    joinedNames.set(of, names);
  }
  let name = names.get(first);
  if (name === undefined) {
    name = interned(`${first} ${second}`);
    names.set(first, name);
  }
  return name;
}

const all = new Map<string, string>();

/** The same string object for equal strings, so that maps need not compare them letter by letter. */
function interned(name: string): string {
  const known = all.get(name);
  if (known !== undefined) return known;
  all.set(name, name);
  return name;
}

function made(metric: MetricDescription, temporality: Temporality | undefined): string {
  const { name, unit, kind, isMonotonic, valueType, explicitBounds, quantiles } = metric;
  const isNumber = kind === 'sum' || kind === 'gauge';
  const has = [metric.hasSum && 'sum', metric.hasMin && 'min', metric.hasMax && 'max'].filter(Boolean);
  return [
    name,
    unit,
    temporality,
    isMonotonic && kind === 'sum' ? 'monotonic' : '',
    kind,
    isNumber ? valueType : has.join('+'),
    explicitBounds.join(),
    quantiles.join(),
  ].join('|');
}
