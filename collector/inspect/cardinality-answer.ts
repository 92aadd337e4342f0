import type { MetricSeries } from '../../otel/state/definitions.ts';
import type { MetricStore } from '../../otel/state/metric-store.ts';

/** Who and what has the most input series. */
export interface CardinalityAnswer {
  readonly series: number;
  readonly members: readonly { readonly member: string; readonly series: number }[];
  readonly metrics: readonly {
    readonly metric: string;
    readonly scope: string;
    /** Of all members. */
    readonly series: number;
    readonly attributeSets: number;
    /** Most values first. */
    readonly attributes: readonly { readonly key: string; readonly values: number }[];
  }[];
}

const shown = 10;
/** Attribute sets that are looked at before others may run. */
const setsAtATime = 2000;

/**
 * The ten members and metrics with most series, and how many values each attribute of these metrics has. Nothing is kept for it: what
 * costs is counted when somebody asks, in turns with other work.
 */
export async function cardinalityAnswer(store: MetricStore): Promise<CardinalityAnswer> {
  const members = [...store.members].map(({ id, series }) => ({ member: id, series: series.size }));
  const metrics = [...store.definitions.metrics()];
  const largest = top(metrics, ({ series }) => series);
  return {
    series: store.seriesCount,
    members: top(members, ({ series }) => series),
    metrics: await Promise.all(
      largest.map(async (metric) => ({
        metric: metric.entry.metric.name,
        scope: metric.entry.scope.name,
        series: metric.series,
        attributeSets: metric.attributeSets,
        attributes: await attributesOf(metric),
      })),
    ),
  };
}

async function attributesOf({ allAttributes }: MetricSeries): Promise<{ key: string; values: number }[]> {
  const values = new Map<string, Set<unknown>>();
  let looked = 0;
  for (const attributes of allAttributes()) {
    for (const [key, value] of attributes) {
      const of = values.get(key) ?? new Set();
      values.set(key, of);
      of.add(typeof value === 'object' ? JSON.stringify(value, bigintText) : value);
    }
    if (++looked % setsAtATime === 0) await new Promise(setImmediate);
  }
  const counted = [...values].map(([key, of]) => ({ key, values: of.size }));
  return top(counted, (one) => one.values);
}

function bigintText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}` : value;
}

function top<T>(list: readonly T[], size: (item: T) => number): T[] {
  return [...list].sort((a, b) => size(b) - size(a)).slice(0, shown);
}
