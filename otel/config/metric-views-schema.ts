import { z } from 'zod';
import { maxExplicitBounds } from '../model/definitions.ts';
import { duration, nullAsEmpty, optional, text, withDefault } from './fields.ts';
import type { MetricRenaming, ViewAggregation, ViewSelector, ViewStream } from './metric-views.ts';
import { checkView } from './metric-views-check.ts';

// `meter_provider.views` of OpenTelemetry's declarative configuration, schema version 1.1, as far as this release does it.

const onlyAggregation =
  'exactly one of default, drop, sum, last_value, explicit_bucket_histogram and base2_exponential_bucket_histogram, as in `aggregation: {sum: }`';

const patterns = z
  .array(text())
  .min(1)
  .max(256)
  .meta({ allowed: 'a list of keys, not empty; * and ? are wildcards' });

const selector = z
  .strictObject({
    instrument_name: optional(text()).describe(
      'The name of the metric. `*` stands for any characters and none, `?` for one.',
    ),
    instrument_type: optional(
      z.enum([
        'counter',
        'gauge',
        'histogram',
        'observable_counter',
        'observable_gauge',
        'observable_up_down_counter',
        'up_down_counter',
      ]),
    ).describe(
      'The kind. What arrives does not tell observable instruments from the others: `counter` and `observable_counter` select the same.',
    ),
    unit: optional(z.string()).describe('The unit, exactly.'),
    meter_name: optional(z.string()).describe('The name of the instrumentation scope, exactly.'),
    meter_version: optional(z.string()).describe('The version of the instrumentation scope, exactly.'),
    meter_schema_url: optional(z.string()).describe('The schema URL of the instrumentation scope, exactly.'),
  })
  .transform(
    (value): ViewSelector => ({
      instrumentName: value.instrument_name,
      instrumentType: value.instrument_type,
      unit: value.unit,
      meterName: value.meter_name,
      meterVersion: value.meter_version,
      meterSchemaUrl: value.meter_schema_url,
    }),
  );

const nothing = () => nullAsEmpty(z.strictObject({}));

const boundaries = z
  .array(z.number())
  .max(maxExplicitBounds)
  .refine((list) => list.every((bound, i) => i === 0 || bound > list[i - 1]!), {
    error: 'allowed: ascending numbers, each once',
  });

const aggregation = z
  .strictObject({
    default: nothing().describe('Sums add, gauges give the last value, histograms of one kind add.'),
    drop: nothing().describe('Nothing leaves.'),
    sum: nothing().describe('Values add. For sums and gauges.'),
    last_value: nothing().describe('The value that was reported last, as a gauge. For sums and gauges.'),
    explicit_bucket_histogram: nullAsEmpty(
      z.strictObject({
        boundaries: optional(boundaries)
          .describe(
            'Upper bounds of the buckets. Histograms that have all of these add exactly; others make a stream of their own.',
          )
          .meta({ defaultText: 'those of the first series' }),
        record_min_max: optional(
          z.literal(false).meta({
            allowed:
              'false, because a minimum and maximum hold for the interval of one report and are not known of what is added up',
          }),
        )
          .describe('Points hold no minimum and maximum.')
          .meta({ defaultText: '`false`' }),
      }),
    ).describe('Buckets with these bounds. For explicit histograms.'),
    base2_exponential_bucket_histogram: nullAsEmpty(
      z.strictObject({
        max_scale: withDefault(z.int().min(-10).max(20), 20).describe('The finest scale.'),
        max_size: withDefault(z.int().min(2).max(1024), 160).describe(
          'Buckets in each of the positive and the negative range, at most.',
        ),
        record_min_max: withDefault(z.boolean(), true).describe(
          'Whether a distribution over members holds the minimum and maximum. Histograms that are added up never do.',
        ),
      }),
    ).describe(
      'Exponential buckets. For histograms; of gauges and up-down sums, the distribution over members.',
    ),
  })
  .refine((value) => Object.values(value).filter((one) => one !== undefined).length === 1, {
    error: `allowed: ${onlyAggregation}`,
  })
  .transform((value): ViewAggregation => {
    const { explicit_bucket_histogram: explicit, base2_exponential_bucket_histogram: exponential } = value;
    if (explicit !== undefined) return { kind: 'explicit_bucket_histogram', boundaries: explicit.boundaries };
    if (exponential !== undefined)
      return {
        kind: 'base2_exponential_bucket_histogram',
        maxScale: exponential.max_scale,
        maxSize: exponential.max_size,
        recordMinMax: exponential.record_min_max,
      };
    if (value.drop !== undefined) return 'drop';
    if (value.sum !== undefined) return 'sum';
    return value.last_value === undefined ? 'default' : 'last_value';
  })
  .meta({ allowed: onlyAggregation });

const streamName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_./-]{0,254}$/)
  .meta({ allowed: 'a letter, then up to 254 letters, digits and _ . - /' });

const key = () => text().max(255).meta({ allowed: 'the key of an attribute: 1 to 255 characters' });

const renameMetric = z
  .strictObject({
    from: z
      .string()
      .regex(/^[^?]{1,255}$/)
      .meta({ allowed: 'a name of at most 255 characters, in which * stands for any characters and none' })
      .describe(
        'The whole name; upper and lower case are the same. A metric whose name does not match keeps it.',
      ),
    to: z
      .string()
      .regex(/^[A-Za-z*][A-Za-z0-9_./*-]{0,254}$/)
      .meta({ allowed: 'a letter or *, then up to 254 letters, digits and _ . - / *' })
      .describe('Each `*` is what the one at its place in `from` stands for.'),
  })
  .refine(({ from, to }) => count(to, '*') <= count(from, '*'), {
    path: ['to'],
    error: 'allowed: not more * than from has',
  })
  .transform((value): MetricRenaming => value);

const renameAttributes = z
  .record(key(), key())
  .refine((value) => Object.keys(value).length > 0, { error: 'allowed: at least one key' })
  .refine((value) => Object.keys(value).length <= 64, { error: 'allowed: at most 64 keys' })
  .meta({ allowed: 'a mapping from keys to other keys, as in `{old: new}`' });

const fleet = z.strictObject({
  resource_keys: optional(
    z
      .array(
        z
          .string()
          .regex(/^[^*?]+$/)
          .meta({ allowed: 'the key of a resource attribute, without wildcards' }),
      )
      .max(64)
      .refine((keys) => new Set(keys).size === keys.length, { error: 'allowed: each key once' }),
  ).describe(
    'The resource attributes that the output keeps. Given, even empty, the view joins all members whose values of these are equal (a merging view); without it, members stay apart (a passing view).',
  ),
  members: optional(z.enum(['last', 'min', 'max', 'mean', 'sum', 'count', 'distribution']))
    .describe(
      'How the values of gauges and up-down sums that are joined become one, from the members that are present: the last, least, greatest or mean value, their sum, how many there are, or an exponential histogram of them.',
    )
    .meta({ defaultText: 'last for gauges, sum for up-down sums' }),
  over_time: optional(z.enum(['last', 'min', 'max', 'mean']))
    .describe('What stands for the values that a gauge took within an export interval.')
    .meta({ defaultText: '`last`' }),
  staleness: optional(duration(1000))
    .describe(
      "A member silent for so long leaves this output's gauges and up-down sums. Not longer than `streamgauge.eviction`.",
    )
    .meta({ defaultText: '`streamgauge.staleness`' }),
  rename_attributes: optional(renameAttributes).describe(
    'Attributes of the points that get another key, all at once; the new key then holds the renamed value, even if the series had another one there. Series that become equal are joined.',
  ),
  rename_metric: optional(renameMetric).describe('Gives metrics other names by a pattern.'),
  metric_name_attribute: optional(key()).describe(
    "The key of an attribute that holds the metric's own name, so that series of several metrics under one name stay apart.",
  ),
});

const stream = z
  .strictObject({
    name: optional(streamName)
      .describe(
        'The name of the resulting metric. Several metrics may get one name in a view that joins series.',
      )
      .meta({ defaultText: "the instrument's" }),
    description: optional(z.string())
      .describe('The description of the resulting metric.')
      .meta({ defaultText: "the instrument's" }),
    aggregation: optional(aggregation)
      .describe('How values become one: exactly one of these.')
      .meta({ defaultText: '{default: }' }),
    aggregation_cardinality_limit: optional(z.int().min(1).max(100_000_000))
      .describe(
        'Series of the resulting metric at most, for each resource that it has. What goes beyond is added up in one series with the attribute otel.metric.overflow.',
      )
      .meta({ defaultText: '2000 where series are joined, none elsewhere' }),
    attribute_keys: nullAsEmpty(
      z.strictObject({
        included: optional(patterns).describe('Attributes that stay.').meta({ defaultText: 'all' }),
        excluded: optional(patterns).describe('Attributes that leave, even if they are included.'),
      }),
    ).describe(
      'Which attributes of the points stay, by their own keys; series that become equal are joined.',
    ),
    streamgauge: nullAsEmpty(fleet).describe('What OpenTelemetry has no keys for.'),
  })
  .transform(
    ({ streamgauge, ...value }): ViewStream => ({
      name: value.name,
      description: value.description,
      attributeKeys: value.attribute_keys,
      aggregation: value.aggregation ?? 'default',
      cardinalityLimit: value.aggregation_cardinality_limit,
      resourceKeys: streamgauge?.resource_keys,
      members: streamgauge?.members,
      overTime: streamgauge?.over_time,
      stalenessMs: streamgauge?.staleness,
      renameAttributes: streamgauge?.rename_attributes,
      renameMetric: streamgauge?.rename_metric,
      metricNameAttribute: streamgauge?.metric_name_attribute,
    }),
  );

/** `views`. */
export const metricViews = z
  .array(
    z
      .strictObject({
        selector: selector.describe('Which metrics the view is about; all that is given must hold.'),
        stream: stream.describe('What becomes of them.'),
      })
      .superRefine(checkView),
  )
  .max(1024);

function count(text: string, one: string): number {
  return text.split(one).length - 1;
}
