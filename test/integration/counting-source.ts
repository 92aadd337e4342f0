import type { SourceDefinition } from '../../agent/source-groups.ts';
import type { SamplingGroup } from '../../agent/state/sampling-group.ts';
import { type Attributes, attributes } from '../../otel/model/attributes.ts';
import { type MetricDescription, metric } from '../../otel/model/metric.ts';
import { emptyScope } from '../../otel/model/scope.ts';

/** One series whose value the test sets; the agent reads it at its next collection. */
export interface SetSeries {
  readonly metric: MetricDescription;
  readonly attributes: Attributes;
  value: number;
}

export const counts = metric({
  name: 'jobs.done',
  unit: '{job}',
  kind: 'sum',
  isMonotonic: true,
  valueType: 'int',
});
export const open = metric({ name: 'jobs.open', unit: '{job}', kind: 'sum', valueType: 'int' });
export const load = metric({ name: 'jobs.load', unit: '1', kind: 'gauge' });

/** A source of series whose values are what the test has set, and nothing else. Counters begin when it is made. */
export class CountingSource {
  readonly series: SetSeries[] = [];
  readonly #epoch = { token: `counting.${performance.now()}.${Math.random()}`, beganMs: performance.now() };
  readonly #startTimeUs = Date.now() * 1000;

  add(of: MetricDescription, its: Parameters<typeof attributes>[0] = {}, value = 0): SetSeries {
    const series = { metric: of, attributes: attributes(its), value };
    this.series.push(series);
    return series;
  }

  /** What an agent takes as a source, once. */
  definition(intervalMs = 20): SourceDefinition {
    return {
      intervalMs,
      make: (group) => {
        const cells = this.series.map((series) => this.#define(group, series));
        return {
          name: 'counting',
          collect: () => {
            for (const [i, { metric: of, value }] of this.series.entries()) {
              if (of.isMonotonic) group.setCounter(cells[i]!, value);
              else group.set(cells[i]!, value);
            }
          },
        };
      },
    };
  }

  #define(group: SamplingGroup, { metric: of, attributes: its }: SetSeries): number {
    const isSum = of.kind === 'sum';
    return group.define({
      scope: { ...emptyScope, name: 'counting' },
      metric: of,
      attributes: its,
      epoch: isSum ? this.#epoch : undefined,
      startTimeUs: isSum ? this.#startTimeUs : 0,
    });
  }
}
