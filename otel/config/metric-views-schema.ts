import { z } from 'zod';
import { nullAsEmpty, optional, text, unsupported } from './fields.ts';
import type { ViewAggregation, ViewConfig, ViewSelector, ViewStream } from './metric-views.ts';

// `meter_provider.views` of OpenTelemetry's declarative configuration, schema version 1.1, as far as this release does it.

const later = 'histogram aggregations come in a later release';
const onlyAggregation = 'exactly one of default, drop, sum and last_value, as in `aggregation: {sum: }`';

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

const aggregation = z
  .strictObject({
    default: nothing().describe('Sums add, gauges give the last value, histograms pass.'),
    drop: nothing().describe('Nothing leaves.'),
    sum: nothing().describe('Values add.'),
    last_value: nothing().describe('The value that was reported last.'),
    explicit_bucket_histogram: unsupported(later),
    base2_exponential_bucket_histogram: unsupported(later),
  })
  .refine((value) => Object.values(value).filter((one) => one !== undefined).length === 1, {
    error: `allowed: ${onlyAggregation}`,
  })
  .transform((value): ViewAggregation => {
    if (value.drop !== undefined) return 'drop';
    if (value.sum !== undefined) return 'sum';
    return value.last_value === undefined ? 'default' : 'last_value';
  })
  .meta({ allowed: onlyAggregation });

const stream = z
  .strictObject({
    name: optional(
      z
        .string()
        .regex(/^[A-Za-z][A-Za-z0-9_./-]{0,254}$/)
        .meta({ allowed: 'a letter, then up to 254 letters, digits and _ . - /' }),
    )
      .describe('The name of the resulting metric.')
      .meta({ defaultText: "the instrument's" }),
    description: optional(z.string())
      .describe('The description of the resulting metric.')
      .meta({ defaultText: "the instrument's" }),
    aggregation: optional(aggregation)
      .describe('How values become one: exactly one of these.')
      .meta({ defaultText: '{default: }' }),
    attribute_keys: nullAsEmpty(
      z.strictObject({
        included: optional(patterns).describe('Attributes that stay.').meta({ defaultText: 'all' }),
        excluded: optional(patterns).describe('Attributes that leave, even if they are included.'),
      }),
    ).describe('Which attributes of the points stay; series that become equal are joined.'),
    streamgauge: nullAsEmpty(
      z.strictObject({
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
      }),
    ).describe('What OpenTelemetry has no keys for.'),
    aggregation_cardinality_limit: unsupported('cardinality limits come in a later release'),
  })
  .transform(
    (value): ViewStream => ({
      name: value.name,
      description: value.description,
      attributeKeys: value.attribute_keys,
      aggregation: value.aggregation ?? 'default',
      resourceKeys: value.streamgauge?.resource_keys,
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

function checkView({ selector, stream }: ViewConfig, context: z.core.$RefinementCtx): void {
  const problem = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
  if (stream.name !== undefined && !isOneName(selector.instrumentName)) {
    const message =
      'allowed together with a selector.instrument_name without wildcards only, because several metrics cannot share one name';
    problem(['stream', 'name'], message);
  }
  if (stream.aggregation === 'drop') {
    const kept = { name: stream.name, description: stream.description, attribute_keys: stream.attributeKeys };
    for (const [key, value] of Object.entries(kept)) {
      if (value !== undefined)
        problem(['stream', key], 'allowed: only without aggregation drop, of which nothing leaves');
    }
    if (stream.resourceKeys !== undefined) {
      const message = 'allowed: only without aggregation drop, of which nothing leaves';
      problem(['stream', 'streamgauge', 'resource_keys'], message);
    }
  }
  if (selector.instrumentType === 'histogram') {
    if (stream.resourceKeys !== undefined || stream.attributeKeys !== undefined) {
      const path = stream.resourceKeys === undefined ? ['attribute_keys'] : ['streamgauge', 'resource_keys'];
      problem(
        ['stream', ...path],
        `not supported for histograms: ${later}, until then they pass as they come`,
      );
    }
    if (stream.aggregation === 'sum' || stream.aggregation === 'last_value') {
      problem(['stream', 'aggregation'], 'allowed for histograms: default and drop');
    }
  }
}

function isOneName(name: string | undefined): boolean {
  return name !== undefined && !/[*?]/.test(name);
}
