import test from 'ava';
import { parseCollectorConfig } from '../../../collector/config/load.ts';
import { ConfigError } from '../../../otel/config/config-error.ts';
import type { ViewStream } from '../../../otel/config/metric-views.ts';

/** The stream of a file's only view. */
function stream(text: string, selector = 'instrument_name: a'): ViewStream {
  const file = `meter_provider: {views: [{selector: {${selector}}, stream: {${text}}}]}`;
  return parseCollectorConfig(file, 'c.yaml', {}).views[0]!.stream;
}

/** What is said of a refused stream: key and message. */
const isRefused = test.macro({
  exec(t, text: string, selector: string | undefined, ...expected: string[]) {
    const error = t.throws(() => stream(text, selector), { instanceOf: ConfigError });
    t.deepEqual(
      error.message
        .split('\n')
        .map((line) => line.replace(/^c\.yaml:1:\d+: meter_provider\.views\[0\]\.stream\./, '')),
      expected,
    );
  },
  title: (name) => `refused: ${name}`,
});

const isTaken = test.macro({
  exec(t, text: string, expected: Partial<ViewStream>, selector?: string) {
    t.like(stream(text, selector), expected);
  },
  title: (_, text) => `taken: ${text}`,
});

const exponential = 'base2_exponential_bucket_histogram';

test(isTaken, 'aggregation: {explicit_bucket_histogram: {boundaries: [-1, 0.5, 2], record_min_max: false}}', {
  aggregation: { kind: 'explicit_bucket_histogram', boundaries: [-1, 0.5, 2] },
});
test(isTaken, 'aggregation: {explicit_bucket_histogram: }', {
  aggregation: { kind: 'explicit_bucket_histogram', boundaries: undefined },
});
test(isTaken, `aggregation: {${exponential}: }`, {
  aggregation: { kind: exponential, maxScale: 20, maxSize: 160, recordMinMax: true },
});
test(
  isTaken,
  `aggregation: {${exponential}: {max_scale: -2, max_size: 40}}, streamgauge: {members: distribution}`,
  {
    aggregation: { kind: exponential, maxScale: -2, maxSize: 40, recordMinMax: true },
    members: 'distribution',
  },
);
test(isTaken, 'aggregation: {default: }', {
  aggregation: 'default',
  members: undefined,
  overTime: undefined,
});
test(isTaken, 'aggregation_cardinality_limit: 10', { cardinalityLimit: 10 });
test(isTaken, 'aggregation_cardinality_limit: 10, name: all', { name: 'all' }, 'instrument_name: "a.*"');
test(isTaken, 'streamgauge: {over_time: max, staleness: 90s}', { overTime: 'max', stalenessMs: 90_000 });
test(isTaken, 'streamgauge: {resource_keys: [], members: mean}', { resourceKeys: [], members: 'mean' });
test(isTaken, 'attribute_keys: {excluded: [cpu]}, streamgauge: {members: count}', { members: 'count' });
test(isTaken, 'name: all, streamgauge: {metric_name_attribute: metric}', { name: 'all' }, 'unit: By');
test(isTaken, 'streamgauge: {rename_attributes: {old: new, "http.method": m}}', {
  renameAttributes: { old: 'new', 'http.method': 'm' },
});
test(
  isTaken,
  'streamgauge: {rename_metric: {from: "http.*", to: "web.*"}}',
  { renameMetric: { from: 'http.*', to: 'web.*' } },
  'instrument_name: "*"',
);
test(
  isTaken,
  'streamgauge: {rename_metric: {from: "http.*", to: web}, resource_keys: []}',
  { renameMetric: { from: 'http.*', to: 'web' } },
  'instrument_name: HTTP.server',
);

test(
  'values that no key allows',
  isRefused,
  'aggregation: {explicit_bucket_histogram: {boundaries: [1, 1], record_min_max: true}}, aggregation_cardinality_limit: 0, streamgauge: {members: median, over_time: sum, staleness: 5, rename_attributes: {}, metric_name_attribute: ""}',
  undefined,
  'aggregation.explicit_bucket_histogram.boundaries: found a list of 2; allowed: ascending numbers, each once',
  'aggregation.explicit_bucket_histogram.record_min_max: found true; allowed: false, because a minimum and maximum hold for the interval of one report and are not known of what is added up',
  'aggregation_cardinality_limit: found 0; allowed: a whole number from 1 to 100000000',
  'streamgauge.members: found "median"; allowed: last, min, max, mean, sum, count or distribution',
  'streamgauge.over_time: found "sum"; allowed: last, min, max or mean',
  'streamgauge.staleness: found 5; allowed: a duration from 1s to 24d: milliseconds, or text like 500ms, 10s, 5m, 1h',
  'streamgauge.rename_attributes: found a mapping; allowed: at least one key',
  'streamgauge.metric_name_attribute: found ""; allowed: the key of an attribute: 1 to 255 characters',
);
test(
  'sizes of exponential histograms',
  isRefused,
  `aggregation: {${exponential}: {max_scale: 21, max_size: 1, record_min_max: 1}}`,
  undefined,
  `aggregation.${exponential}.max_scale: found 21; allowed: a whole number from -10 to 20`,
  `aggregation.${exponential}.max_size: found 1; allowed: a whole number from 2 to 1024`,
  `aggregation.${exponential}.record_min_max: found 1; allowed: true or false`,
);
test(
  'two aggregations, none, another form',
  isRefused,
  'aggregation: {sum: , drop: }',
  undefined,
  'aggregation: found a mapping; allowed: exactly one of default, drop, sum, last_value, explicit_bucket_histogram and base2_exponential_bucket_histogram, as in `aggregation: {sum: }`',
);
test(
  'attributes and resource keys of the wrong form',
  isRefused,
  'attribute_keys: {included: []}, streamgauge: {resource_keys: ["host.*"]}',
  undefined,
  'attribute_keys.included: found an empty list; allowed: a list of keys, not empty; * and ? are wildcards',
  'streamgauge.resource_keys[0]: found "host.*"; allowed: the key of a resource attribute, without wildcards',
);

const dropped = 'allowed: only without aggregation drop, of which nothing leaves';
test(
  'drop with anything else',
  isRefused,
  'aggregation: {drop: }, name: b, attribute_keys: {included: [a]}, aggregation_cardinality_limit: 5, streamgauge: {resource_keys: [host.name], members: sum, over_time: max}',
  undefined,
  `name: found "b"; ${dropped}`,
  `attribute_keys: found a mapping; ${dropped}`,
  `aggregation_cardinality_limit: found 5; ${dropped}`,
  `streamgauge.resource_keys: found a list of 1; ${dropped}`,
  `streamgauge.members: found "sum"; ${dropped}`,
  `streamgauge.over_time: found "max"; ${dropped}`,
);

const joining =
  'streamgauge.resource_keys, attribute_keys, streamgauge.metric_name_attribute or another key that joins series, because several metrics cannot pass under one name';
test(
  'one name for metrics that pass',
  isRefused,
  'name: x',
  'instrument_name: "a*"',
  `name: found "x"; allowed: with a selector.instrument_name without wildcards, or together with ${joining}`,
);
test(
  'renaming several metrics that pass to one name',
  isRefused,
  'streamgauge: {rename_metric: {from: "a.*.*", to: "b.*"}}',
  'unit: By',
  `streamgauge.rename_metric.to: found "b.*"; allowed: as many * as from has, or together with ${joining}`,
);
test(
  'renaming beside a name, and of a name that is not selected',
  isRefused,
  'name: x, streamgauge: {rename_metric: {from: "b.*", to: "c.*"}}',
  'instrument_name: a',
  'streamgauge.rename_metric: found a mapping; allowed: only without stream.name, which holds alone',
  'streamgauge.rename_metric.from: found "b.*"; allowed: a pattern that selector.instrument_name, "a", matches',
);
test(
  'renaming by another wildcard',
  isRefused,
  'streamgauge: {rename_metric: {from: "a?", to: b}}',
  undefined,
  'streamgauge.rename_metric.from: found "a?"; allowed: a name of at most 255 characters, in which * stands for any characters and none',
);
test(
  'renaming to more wildcards than there are',
  isRefused,
  'streamgauge: {rename_metric: {from: "a", to: "b.*"}}',
  undefined,
  'streamgauge.rename_metric.to: found "b.*"; allowed: not more * than from has',
);
test(
  'members where nothing is joined',
  isRefused,
  'streamgauge: {members: max}',
  undefined,
  'streamgauge.members: found "max"; allowed: together with streamgauge.resource_keys or attribute_keys, because nothing is joined without them',
);
test(
  'members beside an aggregation that says it',
  isRefused,
  'aggregation: {sum: }, streamgauge: {resource_keys: [], members: max}',
  undefined,
  'streamgauge.members: found "max"; allowed: only with aggregation default, which leaves it open how values are joined',
);
test(
  'members beside exponential buckets',
  isRefused,
  `aggregation: {${exponential}: }, streamgauge: {resource_keys: [], members: max}`,
  undefined,
  'streamgauge.members: found "max"; allowed with aggregation base2_exponential_bucket_histogram: distribution',
);
test(
  'attributes renamed to nothing new',
  isRefused,
  'attribute_keys: {excluded: [gone]}, streamgauge: {rename_attributes: {gone: b, c: c, d: metric}, metric_name_attribute: metric}',
  undefined,
  'streamgauge.rename_attributes.gone: found "b"; allowed: keys that attribute_keys keeps, which speaks of the keys as they come',
  'streamgauge.rename_attributes.c: found "c"; allowed: another key than the one that is renamed',
  'streamgauge.rename_attributes.d: found "metric"; allowed: another key than that of streamgauge.metric_name_attribute',
);
test(
  'of histograms',
  isRefused,
  'aggregation: {last_value: }, streamgauge: {over_time: max, staleness: 1m}',
  'instrument_type: histogram',
  'aggregation: found a mapping; allowed for histograms: default, drop, explicit_bucket_histogram and base2_exponential_bucket_histogram',
  'streamgauge.over_time: found "max"; not possible for histograms: only gauges are reduced over time',
  'streamgauge.staleness: found "1m"; not possible for histograms, which keep what a silent member has counted',
);
test(
  'members of histograms',
  isRefused,
  'streamgauge: {resource_keys: [], members: sum}',
  'instrument_type: histogram',
  'streamgauge.members: found "sum"; not possible for histograms, which are added bucket by bucket',
);
test(
  'of counters',
  isRefused,
  'aggregation: {explicit_bucket_histogram: }, streamgauge: {over_time: last}',
  'instrument_type: observable_counter',
  'aggregation: found a mapping; allowed for counters: default, drop, sum and last_value',
  'streamgauge.over_time: found "last"; not possible for counters: only gauges are reduced over time',
);
test(
  'members of counters',
  isRefused,
  'streamgauge: {resource_keys: [], members: max}',
  'instrument_type: counter',
  'streamgauge.members: found "max"; allowed for counters: sum and count, because the others would compare counts that began at different times',
);

test('a selector is needed, and its type is one of those that exist', (t) => {
  const refused = (view: string) =>
    t.throws(() => parseCollectorConfig(`meter_provider: {views: [${view}]}`, 'c.yaml', {})).message;
  t.is(
    refused('{stream: {}}'),
    'c.yaml:1:26: meter_provider.views[0].selector: missing; allowed: a mapping with the keys instrument_name, instrument_type, unit, meter_name, meter_version and meter_schema_url',
  );
  t.is(
    refused('{selector: {instrument_type: couter}, stream: {}}'),
    'c.yaml:1:55: meter_provider.views[0].selector.instrument_type: found "couter"; allowed: counter, gauge, histogram, observable_counter, observable_gauge, observable_up_down_counter or up_down_counter',
  );
});

test('staleness is not longer than eviction, which may be configured', (t) => {
  const file = (staleness: string) =>
    `meter_provider: {views: [{selector: {}, stream: {streamgauge: {staleness: ${staleness}}}}]}\nstreamgauge: {eviction: 10m}\n`;
  t.is(parseCollectorConfig(file('10m'), 'c.yaml', {}).views[0]!.stream.stalenessMs, 600_000);
  t.is(
    t.throws(() => parseCollectorConfig(file('11m'), 'c.yaml', {})).message,
    'c.yaml:1:75: meter_provider.views[0].stream.streamgauge.staleness: found "11m"; allowed: not more than streamgauge.eviction, 10m, after which a silent member is freed',
  );
});
