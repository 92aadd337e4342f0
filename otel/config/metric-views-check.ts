import type { z } from 'zod';
import { type InstrumentType, joinsSeries, type ViewConfig, type ViewStream } from './metric-views.ts';
import { namePattern } from './name-pattern.ts';

// What no key of a view tells by itself: options that contradict each other, or that do nothing together.

type Problem = (path: readonly string[], message: string) => void;

/** Where each option stands below `stream`. */
const places = {
  name: ['name'],
  description: ['description'],
  aggregation: ['aggregation'],
  attributeKeys: ['attribute_keys'],
  cardinalityLimit: ['aggregation_cardinality_limit'],
  resourceKeys: ['streamgauge', 'resource_keys'],
  members: ['streamgauge', 'members'],
  overTime: ['streamgauge', 'over_time'],
  stalenessMs: ['streamgauge', 'staleness'],
  renameAttributes: ['streamgauge', 'rename_attributes'],
  renameMetric: ['streamgauge', 'rename_metric'],
  metricNameAttribute: ['streamgauge', 'metric_name_attribute'],
} as const satisfies Record<keyof ViewStream, readonly string[]>;

const joining =
  'streamgauge.resource_keys, attribute_keys, streamgauge.metric_name_attribute or another key that joins series';

/** Reports every impossible combination within a view. */
export function checkView(view: ViewConfig, context: z.core.$RefinementCtx): void {
  const problem: Problem = (path, message) =>
    context.addIssue({ code: 'custom', path: ['stream', ...path], message });
  const { selector, stream } = view;
  if (stream.aggregation === 'drop') {
    checkDropped(stream, problem);
    return;
  }
  checkNames(view, problem);
  checkMembers(stream, problem);
  checkAttributes(stream, problem);
  if (selector.instrumentType !== undefined) checkKind(selector.instrumentType, stream, problem);
}

function checkDropped(stream: ViewStream, problem: Problem): void {
  for (const [option, path] of Object.entries(places)) {
    if (option === 'aggregation' || stream[option as keyof ViewStream] === undefined) continue;
    problem(path, 'allowed: only without aggregation drop, of which nothing leaves');
  }
}

function checkNames({ selector, stream }: ViewConfig, problem: Problem): void {
  const { name, renameMetric } = stream;
  if (name !== undefined && !isOneName(selector.instrumentName) && !joinsSeries(stream))
    problem(
      places.name,
      `allowed: with a selector.instrument_name without wildcards, or together with ${joining}, because several metrics cannot pass under one name`,
    );
  if (renameMetric === undefined) return;
  if (name !== undefined)
    problem(places.renameMetric, 'allowed: only without stream.name, which holds alone');
  const { from, to } = renameMetric;
  if (stars(to) < stars(from) && !joinsSeries(stream))
    problem(
      [...places.renameMetric, 'to'],
      `allowed: as many * as from has, or together with ${joining}, because several metrics cannot pass under one name`,
    );
  const { instrumentName } = selector;
  if (isOneName(instrumentName) && !namePattern(from, { ignoreCase: true }).test(instrumentName))
    problem(
      [...places.renameMetric, 'from'],
      `allowed: a pattern that selector.instrument_name, ${JSON.stringify(instrumentName)}, matches`,
    );
}

function checkMembers(stream: ViewStream, problem: Problem): void {
  const { members, aggregation } = stream;
  if (members === undefined) return;
  if (!joinsSeries(stream))
    problem(
      places.members,
      'allowed: together with streamgauge.resource_keys or attribute_keys, because nothing is joined without them',
    );
  if (aggregation === 'default') return;
  const isDistribution =
    typeof aggregation === 'object' && aggregation.kind === 'base2_exponential_bucket_histogram';
  if (!isDistribution)
    problem(
      places.members,
      'allowed: only with aggregation default, which leaves it open how values are joined',
    );
  else if (members !== 'distribution')
    problem(places.members, 'allowed with aggregation base2_exponential_bucket_histogram: distribution');
}

function checkAttributes(stream: ViewStream, problem: Problem): void {
  const { attributeKeys, renameAttributes = {}, metricNameAttribute } = stream;
  const matches = (key: string) => (pattern: string) => namePattern(pattern, { ignoreCase: false }).test(key);
  for (const [from, to] of Object.entries(renameAttributes)) {
    const path = [...places.renameAttributes, from];
    const isKept =
      (attributeKeys?.included?.some(matches(from)) ?? true) && !attributeKeys?.excluded?.some(matches(from));
    if (!isKept)
      problem(path, 'allowed: keys that attribute_keys keeps, which speaks of the keys as they come');
    if (to === from) problem(path, 'allowed: another key than the one that is renamed');
    if (to === metricNameAttribute)
      problem(path, 'allowed: another key than that of streamgauge.metric_name_attribute');
  }
}

const instruments = {
  counter: 'counters',
  observable_counter: 'counters',
  up_down_counter: 'up-down counters',
  observable_up_down_counter: 'up-down counters',
  gauge: 'gauges',
  observable_gauge: 'gauges',
  histogram: 'histograms',
} as const satisfies Record<InstrumentType, string>;

/** What has no meaning for the only kind that a view selects. Where it selects several, that shows when a metric comes. */
function checkKind(type: InstrumentType, stream: ViewStream, problem: Problem): void {
  const kind = instruments[type];
  const { aggregation, members } = stream;
  if (kind === 'histograms') {
    if (aggregation === 'sum' || aggregation === 'last_value')
      problem(
        places.aggregation,
        'allowed for histograms: default, drop, explicit_bucket_histogram and base2_exponential_bucket_histogram',
      );
  } else if (typeof aggregation === 'object') {
    const isDistribution = aggregation.kind === 'base2_exponential_bucket_histogram';
    if (kind === 'counters')
      problem(places.aggregation, 'allowed for counters: default, drop, sum and last_value');
    else if (!isDistribution)
      problem(
        places.aggregation,
        `allowed for ${kind}: default, drop, sum, last_value and base2_exponential_bucket_histogram`,
      );
  }
  if (members !== undefined && kind === 'histograms')
    problem(places.members, 'not possible for histograms, which are added bucket by bucket');
  if (kind === 'counters' && members !== undefined && members !== 'sum' && members !== 'count')
    problem(
      places.members,
      'allowed for counters: sum and count, because the others would compare counts that began at different times',
    );
  if (stream.overTime !== undefined && kind !== 'gauges')
    problem(places.overTime, `not possible for ${kind}: only gauges are reduced over time`);
  if (stream.stalenessMs !== undefined && (kind === 'counters' || kind === 'histograms'))
    problem(places.stalenessMs, `not possible for ${kind}, which keep what a silent member has counted`);
}

function isOneName(name: string | undefined): name is string {
  return name !== undefined && !/[*?]/.test(name);
}

function stars(pattern: string): number {
  return pattern.split('*').length - 1;
}
