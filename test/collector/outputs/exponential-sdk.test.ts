import {
  AggregationTemporality,
  AggregationType,
  type ExponentialHistogramMetricData,
  MeterProvider,
  MetricReader,
} from '@opentelemetry/sdk-metrics';
import test from 'ava';
import fc from 'fast-check';
import type { ViewConfig } from '../../../otel/config/metric-views.ts';
import { attributes } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import {
  type ModelHistogram,
  modelHistogram,
  modelTogether,
  plain,
} from '../../otel/state/exponential-model.ts';
import { Core } from '../core.ts';
import { DirectMember, exponentialPoints } from './direct-member.ts';

class PullReader extends MetricReader {
  override async onShutdown(): Promise<void> {}
  override async onForceFlush(): Promise<void> {}
}

interface Measured extends ModelHistogram {
  min: number;
  max: number;
  count: number;
}

/** The official SDK in one process: the values, recorded in groups, and what it gives after each group. */
async function sdk(groups: readonly (readonly number[])[], maxSize: number): Promise<Measured[]> {
  const reader = new PullReader({
    aggregationTemporalitySelector: () => AggregationTemporality.CUMULATIVE,
    aggregationSelector: () => ({
      type: AggregationType.EXPONENTIAL_HISTOGRAM,
      options: { recordMinMax: true, maxSize },
    }),
  });
  const provider = new MeterProvider({ readers: [reader] });
  // Of a gauge, since SDK histograms take no negative values; it gives no sum then.
  const gauge = provider.getMeter('test').createGauge('measured');
  const given: Measured[] = [];
  for (const values of groups) {
    for (const value of values) gauge.record(value);
    const { resourceMetrics } = await reader.collect();
    const data = resourceMetrics.scopeMetrics[0]?.metrics[0] as ExponentialHistogramMetricData | undefined;
    const value = data?.dataPoints[0]?.value;
    if (value === undefined) continue;
    const side = ({ offset, bucketCounts }: typeof value.positive) =>
      new Map(bucketCounts.map((count, i) => [offset + i, count] as const).filter(([, count]) => count > 0));
    given.push({
      ...modelHistogram({
        scale: value.scale,
        zeroCount: value.zeroCount,
        positive: side(value.positive),
        negative: side(value.negative),
      }),
      min: value.min!,
      max: value.max!,
      count: value.count,
    });
  }
  await provider.shutdown();
  return given;
}

function view(maxSize: number): ViewConfig {
  return {
    selector: {},
    stream: {
      resourceKeys: [],
      attributeKeys: { included: [] },
      aggregation: { kind: 'base2_exponential_bucket_histogram', maxSize, maxScale: 20, recordMinMax: true },
    },
  };
}

function collect(core: Core) {
  const [resource] = core.outputs.collect(core.outputs.passerBy(), core.nowUs).resources;
  const [stream] = resource.scopes[0].streams;
  return { stream, points: exponentialPoints(stream) };
}

// Values whose logarithms spread over several scales. None next to a power of two, which the SDK may put on its other side.
const values = fc.array(
  fc
    .tuple(
      fc.integer({ min: 1000, max: 1999 }).map((n) => n / 1000),
      fc.integer({ min: -6, max: 6 }),
      fc.boolean(),
    )
    .map(([digits, exponent, isNegative]) => (isNegative ? -1 : 1) * digits * 2 ** exponent),
  { minLength: 1, maxLength: 40 },
);

test('what the SDK counts in parts, folded, is what it counts as a whole', async (t) => {
  const latency = metric({ name: 'latency', kind: 'exponential_histogram' });
  await fc.assert(
    fc.asyncProperty(
      fc.array(values, { minLength: 1, maxLength: 4 }),
      fc.constantFrom(4, 20, 160),
      async (parts, maxSize) => {
        const core = new Core({ views: [view(maxSize)] });
        for (const [who, part] of parts.entries()) {
          const member = new DirectMember(core, `m${who}`);
          const slot = member.define(latency);
          const half = part.length >> 1;
          // Two reports of each: the second is coarser as a rule.
          for (const state of await sdk([part.slice(0, half), part.slice(half)], maxSize))
            t.is(member.exponential(slot, state), 0);
        }
        const [whole] = await sdk([parts.flat()], maxSize);
        const { points } = collect(core);
        // When the SDK adds what it counted since the last collection, it may go coarser than the values need.
        const [one, other] = modelTogether(points[0], whole);
        t.deepEqual(plain(one), plain(other));
      },
    ),
    { numRuns: 60 },
  );
});

test('the distribution over members is what the SDK makes of the same values', async (t) => {
  const load = metric({ name: 'load', kind: 'gauge' });
  await fc.assert(
    fc.asyncProperty(values, fc.constantFrom(4, 20, 160), async (list, maxSize) => {
      const core = new Core({ views: [view(maxSize)] });
      for (const [who, value] of [...list, 0, NaN, Infinity, -Infinity].entries()) {
        const member = new DirectMember(core, `m${who}`);
        member.gauge(member.define(load, attributes({ of: BigInt(who) })), value);
      }
      const [whole] = await sdk([[...list, 0, NaN, Infinity, -Infinity]], maxSize);
      const { points, stream } = collect(core);
      t.is(points.length, 1);
      t.is(stream.temporality, 'delta');
      const [one, other] = modelTogether({ ...points[0], sum: 0 }, whole);
      t.true(points[0].scale >= whole.scale);
      t.deepEqual(plain(one), plain(other));
      t.deepEqual([points[0].min, points[0].max], [whole.min, whole.max]);
      t.is(
        points[0].sum,
        list.reduce((sum, value) => sum + value, 0),
      );
    }),
    { numRuns: 60 },
  );
});
