import type { MemberReduction, ViewConfig, ViewStream } from '../../otel/config/metric-views.ts';
import { type Attributes, attributes } from '../../otel/model/attributes.ts';
import { type MetricDescription, metricKey } from '../../otel/model/metric.ts';
import { views } from './catalogue-views.ts';
import type { ExponentialShape } from './model-exponential.ts';

// What views make of metrics, after docs/aggregation.md: which outputs there are, what leaves of them, and which series become equal.

/** How an output's points come about. */
export type Way = 'pass' | 'add' | 'convert' | 'distribution' | Exclude<MemberReduction, 'distribution'>;

export interface ModelOutput {
  /** The view's place in the configuration, from 1; 0: the metric has no view. */
  readonly number: number;
  readonly stream: ViewStream;
  readonly way: Way;
  /** What leaves. */
  readonly metric: MetricDescription;
  /** Equal where one stream takes both in, within a resource. */
  readonly identity: string;
  readonly exponential: ExponentialShape;
}

const defaultShape = { maxScale: 20, maxSize: 160, recordMinMax: true };

/** Whether series may become equal; otherwise the view hands them on. */
export function joins(stream: ViewStream): boolean {
  return !isLimitAlone(stream) || stream.cardinalityLimit !== undefined;
}

function isLimitAlone({ resourceKeys, aggregation, ...stream }: ViewStream): boolean {
  const { attributeKeys, renameAttributes, metricNameAttribute } = stream;
  return (
    resourceKeys === undefined &&
    attributeKeys === undefined &&
    renameAttributes === undefined &&
    metricNameAttribute === undefined &&
    aggregation === 'default'
  );
}

const known = new Map<MetricDescription, readonly ModelOutput[]>();

/** The outputs of a metric: one for each view that selects it and has a use for its kind. */
export function outputsOf(metric: MetricDescription): readonly ModelOutput[] {
  let found = known.get(metric);
  if (found === undefined) {
    found = madeOf(metric);
    known.set(metric, found);
  }
  return found;
}

function madeOf(metric: MetricDescription): readonly ModelOutput[] {
  const selecting = views
    .map(({ selector, stream }, i) => ({ selector, stream, number: i + 1 }))
    .filter(({ selector }) => selects(selector, metric));
  if (selecting.length === 0) return [outputOf(metric, 0, { aggregation: 'default' })!];
  return selecting.flatMap(({ number, stream }) => outputOf(metric, number, stream) ?? []);
}

function selects(
  { instrumentName = '*', instrumentType, unit }: ViewConfig['selector'],
  metric: MetricDescription,
): boolean {
  if (unit !== undefined && unit !== metric.unit) return false;
  if (instrumentType === 'counter' && !(metric.kind === 'sum' && metric.isMonotonic)) return false;
  return matches(instrumentName, metric.name);
}

/** `*` stands for anything. */
function matches(pattern: string, text: string): boolean {
  const [first, ...rest] = pattern.split('*');
  if (rest.length === 0) return first === text;
  const last = rest.at(-1)!;
  return text.startsWith(first) && text.endsWith(last) && text.length >= first.length + last.length;
}

function outputOf(of: MetricDescription, number: number, stream: ViewStream): ModelOutput | undefined {
  const { aggregation } = stream;
  if (aggregation === 'drop') return undefined;
  const isMean = of.kind === 'gauge' && stream.overTime === 'mean';
  const named = {
    ...of,
    name: nameIn(stream, of.name),
    valueType: isMean ? 'double' : of.valueType,
  } as const;
  const shape =
    typeof aggregation === 'object' && aggregation.kind === 'base2_exponential_bucket_histogram'
      ? aggregation
      : defaultShape;
  const made = joins(stream)
    ? joinedOf(named, stream, shape.recordMinMax)
    : ({ way: 'pass', metric: named } as const);
  if (made === undefined) return undefined;
  const { name, unit, kind, isMonotonic } = made.metric;
  const identity =
    made.way === 'pass'
      ? metricKey(of)
      : [name.toLowerCase(), unit, kind, isMonotonic ? 'monotonic' : '', 'from', of.kind].join(' ');
  return { number, stream, ...made, identity: `${number} ${identity}`, exponential: shape };
}

function nameIn({ name, renameMetric }: ViewStream, own: string): string {
  if (name !== undefined) return name;
  if (renameMetric === undefined || !matches(renameMetric.from, own)) return own;
  const [first, last] = renameMetric.from.split('*');
  return renameMetric.to.replace('*', own.slice(first.length, own.length - last.length));
}

type Made = { readonly way: Way; readonly metric: MetricDescription } | undefined;

/** The table of aggregations and kinds, and below it that of members. */
function joinedOf(of: MetricDescription, stream: ViewStream, recordsMinMax: boolean): Made {
  const { aggregation, members } = stream;
  const withoutRange = { ...of, hasMin: false, hasMax: false };
  switch (of.kind) {
    case 'summary':
      return isLimitAlone(stream) ? { way: 'pass', metric: of } : undefined;
    case 'exponential_histogram':
      return aggregation === 'default' || isExponential(aggregation)
        ? { way: 'add', metric: withoutRange }
        : undefined;
    case 'histogram':
      if (aggregation === 'default') return { way: 'add', metric: withoutRange };
      if (isExponential(aggregation))
        return {
          way: 'convert',
          metric: { ...withoutRange, kind: 'exponential_histogram', explicitBounds: [] },
        };
      if (typeof aggregation === 'string') return undefined;
      return { way: 'add', metric: { ...withoutRange, explicitBounds: boundsIn(stream, of.explicitBounds) } };
    case 'gauge':
    case 'sum':
      break;
  }
  const isCounter = of.kind === 'sum' && of.isMonotonic;
  if (isExponential(aggregation)) {
    const metric = { ...of, kind: 'exponential_histogram', isMonotonic: false, hasSum: true } as const;
    const range = { hasMin: recordsMinMax, hasMax: recordsMinMax };
    return isCounter ? undefined : { way: 'distribution', metric: { ...metric, ...range } };
  }
  if (typeof aggregation === 'object') return undefined;
  const reduction =
    aggregation === 'sum'
      ? 'sum'
      : aggregation === 'last_value'
        ? 'last'
        : (members ?? (of.kind === 'sum' ? 'sum' : 'last'));
  if (reduction === 'sum') return { way: isCounter ? 'add' : 'sum', metric: { ...of, kind: 'sum' } };
  if (reduction === 'count')
    return {
      way: 'count',
      metric: { ...of, kind: 'sum', isMonotonic: false, unit: '{series}', valueType: 'int' },
    };
  if (reduction === 'distribution') throw new Error('the sequences ask for distributions by aggregation');
  if (isCounter && aggregation !== 'last_value') return undefined;
  const valueType = reduction === 'mean' ? 'double' : of.valueType;
  return { way: reduction, metric: { ...of, kind: 'gauge', isMonotonic: false, valueType } };
}

function isExponential(aggregation: ViewStream['aggregation']): boolean {
  return typeof aggregation === 'object' && aggregation.kind === 'base2_exponential_bucket_histogram';
}

/** Those that the view asks for, where the histogram has them all. */
function boundsIn({ aggregation }: ViewStream, own: readonly number[]): readonly number[] {
  const wanted =
    typeof aggregation === 'object' && aggregation.kind === 'explicit_bucket_histogram'
      ? (aggregation.boundaries ?? own)
      : own;
  return wanted.every((bound) => own.includes(bound)) ? wanted : own;
}

/** The attributes of a series in an output. */
export function attributesIn(
  { attributeKeys, renameAttributes = {}, metricNameAttribute }: ViewStream,
  own: Attributes,
  metricName: string,
): Attributes {
  const { included = ['*'], excluded = [] } = attributeKeys ?? {};
  const isAnyOf = (patterns: readonly string[], key: string) =>
    patterns.some((pattern) => matches(pattern, key));
  const kept = own.filter(([key]) => isAnyOf(included, key) && !isAnyOf(excluded, key));
  const isRenamed = (key: string) => Object.hasOwn(renameAttributes, key);
  return attributes([
    ...kept.filter(([key]) => !isRenamed(key)),
    ...kept.filter(([key]) => isRenamed(key)).map(([key, value]) => [renameAttributes[key], value] as const),
    ...(metricNameAttribute === undefined ? [] : [[metricNameAttribute, metricName] as const]),
  ]);
}

/** The resource that a series has in an output: the members' own, or what the keys leave of it and who writes it. */
export function resourceIn({ resourceKeys }: ViewStream, own: Attributes): Attributes {
  if (resourceKeys === undefined) return own;
  return attributes([
    ['service.instance.id', 'writer'],
    ...own.filter(([key]) => resourceKeys.includes(key)),
  ]);
}
