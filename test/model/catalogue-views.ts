import type { ViewConfig, ViewStream } from '../../otel/config/metric-views.ts';

/** Silent for so long, a member leaves gauges and up-down sums of views that do not say otherwise. */
export const stalenessMs = 300_000;

function view(
  name: string | undefined,
  instrumentName: string,
  stream: Partial<ViewStream> = {},
  selector: Partial<ViewConfig['selector']> = {},
): ViewConfig {
  return {
    selector: { instrumentName, ...selector },
    stream: { ...(name === undefined ? {} : { name }), aggregation: 'default', ...stream },
  };
}

const noAttributes = { excluded: ['*'] } as const;

/** Several views of one metric, and of each kind of aggregation, reduction and limit one. `plain` has none. */
export const views: readonly ViewConfig[] = [
  view(undefined, 'jobs', { description: 'as it came' }),
  view('jobs.region', 'jobs', { resourceKeys: ['region'], attributeKeys: noAttributes }),
  view('jobs.all', 'jobs', { resourceKeys: [], attributeKeys: noAttributes }),
  view('jobs.queue', 'jobs', { resourceKeys: [] }),
  // No place but that of the overflow series.
  view('jobs.limited', 'jobs', { resourceKeys: ['region'], cardinalityLimit: 1 }),
  view('jobs.counted', 'jobs', { resourceKeys: [], members: 'count' }),
  view('jobs.last', 'jobs', { resourceKeys: [], aggregation: 'last_value' }),
  view('bytes.host', 'bytes', { attributeKeys: { included: ['none'] } }),
  view('bytes.region', 'bytes', { resourceKeys: ['region'], attributeKeys: noAttributes }),
  view('bytes.disks', 'bytes', { cardinalityLimit: 1 }),
  view(undefined, 'inflight'),
  view('inflight.all', 'inflight', { resourceKeys: [] }),
  view('inflight.mean', 'inflight', { resourceKeys: [], members: 'mean', stalenessMs: 60_000 }),
  view('inflight.spread', 'inflight', {
    resourceKeys: ['region'],
    aggregation: {
      kind: 'base2_exponential_bucket_histogram',
      maxScale: 0,
      maxSize: 2,
      recordMinMax: false,
    },
  }),
  view('temperature', 'temperature', { overTime: 'max' }),
  view('temperature.last', 'temperature', {
    resourceKeys: ['region'],
    attributeKeys: noAttributes,
    aggregation: 'last_value',
  }),
  view('temperature.sum', 'temperature', { resourceKeys: [], aggregation: 'sum', overTime: 'mean' }),
  view('temperature.min', 'temperature', {
    resourceKeys: [],
    attributeKeys: noAttributes,
    members: 'min',
    overTime: 'min',
    stalenessMs: 600_000,
  }),
  view('temperature.max', 'temperature', { resourceKeys: [], members: 'max', overTime: 'max' }),
  view('temperature.mean', 'temperature', {
    resourceKeys: [],
    attributeKeys: noAttributes,
    members: 'mean',
    overTime: 'mean',
    stalenessMs: 60_000,
  }),
  view('temperature.count', 'temperature', {
    resourceKeys: ['region'],
    attributeKeys: noAttributes,
    members: 'count',
  }),
  view('temperature.spread', 'temperature', {
    resourceKeys: [],
    attributeKeys: noAttributes,
    aggregation: {
      kind: 'base2_exponential_bucket_histogram',
      maxScale: 2,
      maxSize: 6,
      recordMinMax: true,
    },
  }),
  view(undefined, 'dropped', { aggregation: 'drop' }),
  view(undefined, 'latency'),
  view('latency.all', 'latency', { resourceKeys: [], attributeKeys: noAttributes }),
  view('latency.host', 'latency', {
    attributeKeys: noAttributes,
    aggregation: { kind: 'explicit_bucket_histogram', boundaries: [1, 2] },
  }),
  view('latency.coarse', 'latency', {
    resourceKeys: [],
    attributeKeys: noAttributes,
    aggregation: { kind: 'explicit_bucket_histogram', boundaries: [1] },
  }),
  view('latency.exponential', 'latency', {
    resourceKeys: [],
    attributeKeys: noAttributes,
    aggregation: {
      kind: 'base2_exponential_bucket_histogram',
      maxScale: 1,
      maxSize: 4,
      recordMinMax: false,
    },
  }),
  view(undefined, 'size'),
  view('size.all', 'size', { resourceKeys: [] }),
  view('size.small', 'size', {
    resourceKeys: ['region'],
    attributeKeys: noAttributes,
    aggregation: {
      kind: 'base2_exponential_bucket_histogram',
      maxScale: 1,
      maxSize: 4,
      recordMinMax: true,
    },
  }),
  view('quantiles.limited', 'quantiles', { cardinalityLimit: 5 }),
  view('errors', 'errors.*', {
    resourceKeys: [],
    attributeKeys: { included: ['*method'] },
    renameAttributes: { 'http.method': 'method' },
    metricNameAttribute: 'metric',
  }),
  view(undefined, 'errors.*', { renameMetric: { from: 'errors.*', to: 'faults.*' } }),
  view('errors.host', 'errors.*', { attributeKeys: noAttributes }, { instrumentType: 'counter' }),
  // Ten places and the overflow series; the last of the ten is for members with few.
  view('paths.all', 'paths', { resourceKeys: [], cardinalityLimit: 11 }),
  view('paths.few', 'paths', { resourceKeys: [], cardinalityLimit: 3 }),
];
