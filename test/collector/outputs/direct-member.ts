import type { Attributes } from '../../../otel/model/attributes.ts';
import { attributes } from '../../../otel/model/attributes.ts';
import type { MetricDescription } from '../../../otel/model/metric.ts';
import type { KindState } from '../../../otel/state/kind-state.ts';
import type { Member } from '../../../otel/state/members.ts';
import { batchesOf, type MetricStream, PointBatch } from '../../../otel/state/point-batch.ts';
import { valueOfModel } from '../../otel/state/exponential-arbitraries.ts';
import { type ModelHistogram, modelHistogram } from '../../otel/state/exponential-model.ts';
import type { Core } from '../core.ts';

const scope = { name: '', version: '', attributes: attributes({}), schemaUrl: '' };

/** A member whose values enter the store directly, without a stream's bytes. */
export class DirectMember {
  readonly member: Member;
  readonly #core: Core;
  #holder = 0;
  #epochs = 0;

  constructor(core: Core, id: string, resource: Attributes = attributes({ host: id })) {
    this.#core = core;
    this.member = core.store.join(id, { attributes: resource, schemaUrl: '' }, core.nowUs);
  }

  /** Defines a series, or the next epoch of one. `isSeen`: it began after the store did. */
  define(metric: MetricDescription, own: Attributes = attributes({}), isSeen = true): number {
    const { store } = this.#core;
    const slot = store.define(
      this.member,
      {
        scope,
        metric,
        attributes: own,
        resource: undefined,
        epoch: metric.kind === 'gauge' ? '' : `${this.member.id} ${++this.#epochs}`,
        beganAtUs: isSeen ? this.#core.nowUs + 1 : undefined,
        startTimeUs: this.#core.nowUs,
        clock: store.clocks.of(this.member, 0),
        holder: ++this.#holder,
      },
      this.#core.nowUs,
    );
    if (typeof slot === 'string') throw new Error(slot);
    return slot;
  }

  exponential(slot: number, h: ModelHistogram): number | undefined {
    const state = this.#core.store.exponentialHistograms;
    const baseline = state.settle(slot, valueOfModel(h));
    this.#reported(state, slot);
    return baseline;
  }

  explicit(slot: number, buckets: readonly number[], sum: number): void {
    const state = this.#core.store.histograms;
    state.settle(slot, Float64Array.from(buckets), 0, sum);
    this.#reported(state, slot);
  }

  gauge(slot: number, value: number): void {
    const state = this.#core.store.gauges;
    state.settle(slot, value);
    this.#reported(state, slot);
  }

  end(state: KindState, slot: number): void {
    this.#core.store.end(state, slot, this.#core.nowUs);
  }

  #reported(state: KindState, slot: number): void {
    this.#core.store.timesUs[state.series.clock.get(slot)] = this.#core.nowUs;
    this.#core.store.appear(state, slot);
  }
}

export interface ExponentialPoint extends ModelHistogram {
  attributes: Attributes;
  min: number;
  max: number;
  startUs: number;
  timeUs: number;
  flags: number;
}

/** All points of a stream of exponential histograms, each as an object. */
export function exponentialPoints(stream: MetricStream): ExponentialPoint[] {
  const found: ExponentialPoint[] = [];
  const batch = new PointBatch();
  for (const { size, exponential: e } of batchesOf(stream, batch))
    for (let i = 0; i < size; i++) {
      const side = (offset: number, start: number, length: number) =>
        new Map(
          [...e.counts.subarray(start, start + length)]
            .map((count, b) => [offset + b, count] as const)
            .filter(([, count]) => count !== 0),
        );
      found.push({
        ...modelHistogram({
          scale: e.scales[i],
          zeroThreshold: e.zeroThresholds[i],
          zeroCount: e.zeroCounts[i],
          positive: side(e.positiveOffsets[i], e.positiveStarts[i], e.positiveLengths[i]),
          negative: side(e.negativeOffsets[i], e.negativeStarts[i], e.negativeLengths[i]),
          sum: batch.sums[i],
        }),
        attributes: batch.seriesAttributes[i].attributes,
        min: batch.mins[i],
        max: batch.maxes[i],
        startUs: batch.startTimeUs[i],
        timeUs: batch.timeUs[i],
        flags: batch.flags[i],
      });
    }
  return found;
}
