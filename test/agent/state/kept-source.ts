import type { SourceDefinition } from '../../../agent/source-groups.ts';
import type { AgentSeries, SamplingGroup } from '../../../agent/state/sampling-group.ts';
import { attributes } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import { emptyScope } from '../../../otel/model/scope.ts';

/** A monotonic sum that only the agent has: its source tells no epoch. */
export function keptCounter(worker: string, name = 'jobs.done'): AgentSeries {
  return {
    scope: { ...emptyScope, name: 'kept' },
    metric: metric({ name, kind: 'sum', isMonotonic: true, valueType: 'int' }),
    attributes: attributes({ worker }),
  };
}

/** Counters that only the agent has, from zero in each run; a test counts on them. */
export class KeptSource {
  readonly #counts = new Map<string, number>();
  readonly #cells = new Map<string, number>();
  #group: SamplingGroup | undefined;

  constructor(...workers: string[]) {
    for (const worker of workers) this.#counts.set(worker, 0);
  }

  count(worker: string, more: number): void {
    this.#counts.set(worker, (this.#counts.get(worker) ?? 0) + more);
  }

  /** The counter begins anew; one that is not counted on again is not defined. */
  retire(worker: string): void {
    this.#group!.setCounter(this.#cells.get(worker)!, this.#counts.get(worker)!);
    this.#group!.retire(this.#cells.get(worker)!, 'gone');
    this.#cells.delete(worker);
    this.#counts.delete(worker);
  }

  definition(intervalMs = 20): SourceDefinition {
    return {
      intervalMs,
      make: (group) => {
        this.#group = group;
        return { name: 'kept', collect: () => this.#collect(group) };
      },
    };
  }

  #collect(group: SamplingGroup): void {
    for (const [worker, value] of this.#counts) {
      let cell = this.#cells.get(worker);
      if (cell === undefined) {
        cell = group.define(keptCounter(worker));
        this.#cells.set(worker, cell);
      }
      group.setCounter(cell, value);
    }
  }
}
