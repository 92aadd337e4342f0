import { type Attributes, attributes } from '../../../../otel/model/attributes.ts';
import { type MetricDescription, metric } from '../../../../otel/model/metric.ts';
import { view } from '../members.ts';

function counter(valueType: 'int' | 'double', description = ''): MetricDescription {
  return metric({ name: 'jobs', unit: '{job}', kind: 'sum', isMonotonic: true, valueType, description });
}

function latency(explicitBounds: number[], hasSum = true): MetricDescription {
  return metric({ name: 'latency', unit: 's', kind: 'histogram', explicitBounds, hasSum });
}

/** A series of each kind and shape that each member may have. */
export const catalogue: readonly { readonly metric: MetricDescription; readonly own: Attributes }[] = [
  { metric: counter('int'), own: attributes({ queue: 'a' }) },
  { metric: counter('int'), own: attributes({ queue: 'b', n: 2n }) },
  { metric: counter('double', 'how many jobs'), own: attributes({ queue: 'c', n: 0.5 }) },
  { metric: metric({ name: 'Jobs', unit: 's', kind: 'sum' }), own: attributes({}) },
  { metric: metric({ name: 'heat', kind: 'gauge' }), own: attributes({ at: new Uint8Array([1, 2]) }) },
  { metric: metric({ name: 'heat', kind: 'gauge' }), own: attributes({}) },
  { metric: latency([1, 2, 4]), own: attributes({}) },
  { metric: latency([1, 3, 4], false), own: attributes({ queue: 'a' }) },
  {
    metric: metric({ name: 'size', kind: 'exponential_histogram', hasSum: true }),
    own: attributes({ a: [true, null] }),
  },
  { metric: metric({ name: 'size', kind: 'exponential_histogram', hasSum: true }), own: attributes({}) },
  { metric: metric({ name: 'wait', kind: 'summary', quantiles: [0.5, 1] }), own: attributes({}) },
];

/** Each kind of output, with and without members joined; limits that are reached; streams in each other's way; a view that makes nothing. */
export const views = [
  view({}, 'jobs'),
  view({ resourceKeys: ['region'], name: 'jobs.region', attributeKeys: { included: ['queue'] } }, 'jobs'),
  view({ resourceKeys: [], name: 'jobs.few', cardinalityLimit: 3 }, 'jobs'),
  view({ name: 'jobs.host', attributeKeys: { included: [] } }, 'jobs'),
  view({ name: 'jobs.limited', cardinalityLimit: 2 }, 'jobs'),
  view({ name: 'jobs.few', resourceKeys: [], attributeKeys: { included: [] }, members: 'count' }, 'jobs'),
  view({ overTime: 'mean' }, 'heat'),
  view(
    { name: 'heat.max', resourceKeys: ['region'], members: 'max', overTime: 'max', stalenessMs: 5000 },
    'heat',
  ),
  view({ name: 'heat.spread', resourceKeys: [], members: 'distribution' }, 'heat'),
  view({}, 'latency'),
  view({ name: 'latency.all', resourceKeys: [], attributeKeys: { included: [] } }, 'latency'),
  view(
    {
      name: 'latency.few',
      resourceKeys: [],
      aggregation: { kind: 'explicit_bucket_histogram', boundaries: [1, 4] },
    },
    'latency',
  ),
  view(
    {
      name: 'latency.exponential',
      resourceKeys: [],
      aggregation: {
        kind: 'base2_exponential_bucket_histogram',
        maxScale: 5,
        maxSize: 8,
        recordMinMax: false,
      },
    },
    'latency',
  ),
  view({ name: 'latency.last', aggregation: 'last_value' }, 'latency'),
  view({}, 'size'),
  view({ name: 'size.region', resourceKeys: ['region'], attributeKeys: { included: [] } }, 'size'),
];
