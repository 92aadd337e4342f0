import type { MetricDescription } from '../model/metric.ts';

/** The types of the text format that we write. */
export type FamilyType = 'counter' | 'gauge' | 'histogram' | 'summary';

/**
 * Units of OpenTelemetry (UCUM) and what Prometheus calls them. The list is that of OpenTelemetry's and Prometheus' own
 * translators, so that a metric has the same name whichever way it reaches Prometheus. Others are kept as they are.
 */
const unitNames = new Map([
  ['d', 'days'],
  ['h', 'hours'],
  ['min', 'minutes'],
  ['s', 'seconds'],
  ['ms', 'milliseconds'],
  ['us', 'microseconds'],
  ['ns', 'nanoseconds'],
  ['By', 'bytes'],
  ['KiBy', 'kibibytes'],
  ['MiBy', 'mebibytes'],
  ['GiBy', 'gibibytes'],
  ['TiBy', 'tibibytes'],
  ['kBy', 'kilobytes'],
  ['KBy', 'kilobytes'],
  ['MBy', 'megabytes'],
  ['GBy', 'gigabytes'],
  ['TBy', 'terabytes'],
  ['m', 'meters'],
  ['V', 'volts'],
  ['A', 'amperes'],
  ['J', 'joules'],
  ['W', 'watts'],
  ['g', 'grams'],
  ['Cel', 'celsius'],
  ['Hz', 'hertz'],
  ['%', 'percent'],
  ['1', ''],
]);

/** What stands below the slash: `s` in `By/s`. */
const perUnitNames = new Map([
  ['s', 'second'],
  ['m', 'minute'],
  ['min', 'minute'],
  ['h', 'hour'],
  ['d', 'day'],
  ['w', 'week'],
  ['mo', 'month'],
  ['y', 'year'],
]);

/**
 * The unit as Prometheus writes it, or '' when it has none: `By` is `bytes`, `By/s` is `bytes_per_second`, `{packet}` and `1`
 * are none.
 */
export function prometheusUnit(unit: string): string {
  const slash = unit.indexOf('/');
  const main = unitPart(slash < 0 ? unit : unit.slice(0, slash), unitNames);
  const per = slash < 0 ? '' : unitPart(unit.slice(slash + 1), perUnitNames);
  if (per === '') return main;
  return main === '' ? `per_${per}` : `${main}_per_${per}`;
}

function unitPart(part: string, names: ReadonlyMap<string, string>): string {
  const trimmed = part.trim();
  if (/[{}]/.test(trimmed)) return '';
  return names.get(trimmed) ?? tokens(trimmed).join('_');
}

/** The runs of characters that a metric name may hold. `_` joins them again, so that never two stand in a row. */
function tokens(text: string): string[] {
  return text.match(/[a-zA-Z0-9:]+/g) ?? [];
}

/** The names of a metric in Prometheus. */
export interface FamilyName {
  /** With unit and `_total`: `system_network_io_bytes_total`. '' when nothing of the metric's name can be kept. */
  readonly name: string;
  /** `name` without `_total`: the family's name in OpenMetrics. */
  readonly base: string;
  /** '' when the metric has none, or one that the name does not end in: OpenMetrics wants UNIT to be the name's suffix. */
  readonly unit: string;
}

const familyNames = new WeakMap<MetricDescription, FamilyName>();

/**
 * The metric's name after OpenTelemetry's "Prometheus and OpenMetrics compatibility": characters outside `[a-zA-Z0-9_:]` and
 * runs of `_` become one `_`, the unit follows unless the name holds it already, then `_ratio` for gauges of unit `1` and
 * `_total` for counters.
 */
export function familyName(metric: MetricDescription, type: FamilyType): FamilyName {
  let found = familyNames.get(metric);
  if (found === undefined) {
    found = makeFamilyName(metric, type);
    familyNames.set(metric, found);
  }
  return found;
}

function makeFamilyName(metric: MetricDescription, type: FamilyType): FamilyName {
  const parts = tokens(metric.name);
  // A suffix that the name has already goes behind the unit: `io_total` in bytes is `io_bytes_total`.
  if (type === 'counter' && parts.length > 1 && parts.at(-1) === 'total') parts.pop();
  if (parts.length === 0) return { name: '', base: '', unit: '' };

  const isRatio = metric.kind === 'gauge' && metric.unit === '1';
  const unit = isRatio ? 'ratio' : prometheusUnit(metric.unit);
  let base = parts.join('_');
  if (unit !== '' && !`_${base}_`.includes(`_${unit}_`)) base += `_${unit}`;
  if (/^[0-9]/.test(base)) base = `_${base}`;
  return {
    name: type === 'counter' ? `${base}_total` : base,
    base,
    unit: unit !== '' && base.endsWith(`_${unit}`) ? unit : '',
  };
}
