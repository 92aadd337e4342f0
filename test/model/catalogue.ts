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

const counter = { kind: 'sum', isMonotonic: true } as const;
const jobs = metric({ name: 'jobs', unit: '{job}', ...counter, valueType: 'int' });
const tasks = metric({ ...jobs, unit: '{task}' });
const bytes = metric({ name: 'bytes', unit: 'By', ...counter });
const inflight = metric({ name: 'inflight', kind: 'sum', valueType: 'int' });
const inflightGauge = metric({ name: 'inflight', kind: 'gauge' });
const temperature = metric({ name: 'temperature', unit: 'Cel', kind: 'gauge' });
const plain = metric({ name: 'plain', ...counter });
const dropped = metric({ name: 'dropped', ...counter });
const latency = metric({
  name: 'latency',
  unit: 's',
  kind: 'histogram',
  explicitBounds: [1, 2],
  hasSum: true,
  hasMin: true,
  hasMax: true,
});
const fineLatency = metric({ ...latency, explicitBounds: [1, 2, 5], hasMin: false, hasMax: false });
const otherLatency = metric({ ...fineLatency, explicitBounds: [1, 5], hasSum: false });
const size = metric({
  name: 'size',
  kind: 'exponential_histogram',
  hasSum: true,
  hasMin: true,
  hasMax: true,
});
const bareSize = metric({ name: 'size', kind: 'exponential_histogram' });
const quantiles = metric({ name: 'quantiles', kind: 'summary', quantiles: [0.5, 0.99] });
const httpErrors = metric({ name: 'errors.http', ...counter, valueType: 'int' });
const rpcErrors = metric({ name: 'errors.rpc', ...counter });
const paths = metric({ name: 'paths', ...counter, valueType: 'int' });

function series(
  m: MetricDescription,
  group: number,
  own: Record<string, string>,
  isForeign = false,
): CatalogueSeries {
  return { metric: m, attributes: attributes(own), group, isForeign };
}

function seriesOf(memberId: string): readonly CatalogueSeries[] {
  return [
    series(jobs, 0, { queue: 'a' }),
    series(jobs, 1, { queue: 'b' }),
    series(bytes, 0, { disk: 'x' }),
    series(bytes, 0, { disk: 'y' }),
    series(inflight, 1, { queue: 'a' }),
    series(temperature, 0, { core: '0' }),
    series(temperature, 1, { core: '1' }),
    series(plain, 0, {}, true),
    series(dropped, 1, {}),
    series(latency, 1, {}),
    series(fineLatency, 1, { route: 'r' }),
    series(size, 0, {}),
    series(bareSize, 1, { route: 'r' }),
    series(quantiles, 1, {}),
    series(httpErrors, 0, { 'http.method': 'GET', code: '5' }),
    series(rpcErrors, 1, { method: 'GET' }),
    // What makes a limit take hold: attributes that no two members share. Relayed, since series that move to another resource do so in no
    // order that is promised, and the order decides who gets the last place.
    ...[0, 1, 2, 3, 4].map((i) => series(paths, i % 2, { path: `${memberId}/${i}` }, true)),
    // What others become when the schema changes.
    series(tasks, 0, { queue: 'a' }),
    series(inflightGauge, 1, { queue: 'a' }),
    series(otherLatency, 1, { route: 'r' }),
  ];
}

/** Which series stands for which after a change of schema, both ways: another unit, another kind, other bounds. */
export const siblings: ReadonlyMap<number, number> = new Map(
  [
    [0, 21],
    [4, 22],
    [10, 23],
  ].flatMap(([one, other]) => [
    [one, other],
    [other, one],
  ]),
);

/** How many series a member may have. */
export const catalogueSize = 24;

/** The series that agents define when they start: no metric of theirs in two schemas. */
export const initialSeries: readonly number[] = Array.from({ length: 21 }, (_, index) => index);

const known = new Map<string, readonly CatalogueSeries[]>();

/** Every kind of metric, in two sampling groups, one of them of another resource. */
export function catalogueOf(memberId: string): readonly CatalogueSeries[] {
  let found = known.get(memberId);
  if (found === undefined) {
    found = seriesOf(memberId);
    known.set(memberId, found);
  }
  return found;
}

/** What sources without epochs send. It joins what agents report of the same metrics. */
export const pointCatalogue: readonly CatalogueSeries[] = [
  series(bytes, 0, { disk: 'x' }),
  series(inflight, 0, { queue: 'a' }),
  series(temperature, 0, { core: '0' }),
  series(latency, 0, {}),
  series(size, 0, {}),
  series(quantiles, 0, {}),
];

/** What a member relays, of a resource of its own: a passing view keeps apart what has the same identity nowhere else. */
export function relayedBy(memberId: string): Attributes {
  return attributes({ 'service.name': `relayed by ${memberId}` });
}
