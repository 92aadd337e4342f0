import type { ViewConfig } from '../../otel/config/metric-views.ts';
import type { Attributes } from '../../otel/model/attributes.ts';
import { attributes } from '../../otel/model/attributes.ts';
import { type MetricDescription, metric } from '../../otel/model/metric.ts';

/** A series that each agent of the sequences may have. */
export interface CatalogueSeries {
  readonly metric: MetricDescription;
  readonly attributes: Attributes;
  readonly group: number;
  /** The series is of a relayed service, not of the agent itself. */
  readonly isForeign: boolean;
}

const jobs = metric({ name: 'jobs', unit: '{job}', kind: 'sum', isMonotonic: true, valueType: 'int' });
const bytes = metric({ name: 'bytes', unit: 'By', kind: 'sum', isMonotonic: true });
const inflight = metric({ name: 'inflight', kind: 'sum', valueType: 'int' });
const temperature = metric({ name: 'temperature', unit: 'Cel', kind: 'gauge' });
const plain = metric({ name: 'plain', kind: 'sum', isMonotonic: true });
const dropped = metric({ name: 'dropped', kind: 'sum', isMonotonic: true });
const latency = metric({
  name: 'latency',
  unit: 's',
  kind: 'histogram',
  explicitBounds: [1, 2],
  hasSum: true,
});

function series(
  m: MetricDescription,
  group: number,
  own: Record<string, string>,
  isForeign = false,
): CatalogueSeries {
  return { metric: m, attributes: attributes(own), group, isForeign };
}

/** Every kind of metric, in two sampling groups, one of them of another resource. */
export const catalogue: readonly CatalogueSeries[] = [
  series(jobs, 0, { queue: 'a' }),
  series(jobs, 1, { queue: 'b' }),
  series(bytes, 0, { disk: 'x' }),
  series(bytes, 0, { disk: 'y' }),
  series(inflight, 1, { queue: 'a' }),
  series(temperature, 0, {}),
  series(plain, 0, {}, true),
  series(dropped, 1, {}),
  series(latency, 1, {}),
];

/** What a member relays, of a resource of its own: a passing view keeps apart what has the same identity nowhere else. */
export function relayedBy(memberId: string): Attributes {
  return attributes({ 'service.name': `relayed by ${memberId}` });
}

/** What the model knows a view by. */
export interface ModelView {
  readonly metric: string;
  readonly output: string;
  /** `undefined`: the whole resource. */
  readonly resourceKeys: readonly string[] | undefined;
  /** `undefined`: all. */
  readonly keepsAttributes: readonly string[] | undefined;
  readonly aggregation: 'default' | 'sum' | 'last_value' | 'drop';
}

function view(output: string, of: string, more: Partial<ModelView> = {}): ModelView {
  return {
    metric: of,
    output,
    resourceKeys: undefined,
    keepsAttributes: undefined,
    aggregation: 'default',
    ...more,
  };
}

/** Several views of one metric, and of each kind of aggregation one. `plain` has none. */
export const modelViews: readonly ModelView[] = [
  view('jobs', 'jobs'),
  view('jobs.region', 'jobs', { resourceKeys: ['region'], keepsAttributes: [] }),
  view('jobs.all', 'jobs', { resourceKeys: [], keepsAttributes: [] }),
  view('jobs.queue', 'jobs', { resourceKeys: [] }),
  view('bytes.host', 'bytes', { keepsAttributes: [] }),
  view('inflight', 'inflight'),
  view('inflight.all', 'inflight', { resourceKeys: [] }),
  view('temperature.last', 'temperature', { resourceKeys: ['region'], aggregation: 'last_value' }),
  view('temperature.sum', 'temperature', { resourceKeys: [], aggregation: 'sum' }),
  view('temperature', 'temperature'),
  view('', 'dropped', { aggregation: 'drop' }),
  view('latency', 'latency'),
  view('latency.all', 'latency', { resourceKeys: [] }),
];

/** The same as a configuration would have it. */
export const viewConfigs: readonly ViewConfig[] = modelViews.map((v) => ({
  selector: { instrumentName: v.metric },
  stream: {
    name: v.output === v.metric || v.output === '' ? undefined : v.output,
    aggregation: v.aggregation,
    resourceKeys: v.resourceKeys,
    attributeKeys: v.keepsAttributes === undefined ? undefined : { included: v.keepsAttributes },
  },
}));
