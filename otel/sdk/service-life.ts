import type { Attributes as SdkAttributes } from '@opentelemetry/api';
import type { Attributes } from '../model/attributes.ts';
import type { MetricDescription } from '../model/metric.ts';
import type { Resource } from '../model/resource.ts';
import type { InstrumentationScope } from '../model/scope.ts';
import { attributesFromSdk } from '../otlp/from-sdk.ts';
import type { Epoch, StreamSeries } from '../stream/stream-series.ts';
import type { ServiceMetric } from './service-metric.ts';

/**
 * One life of a series: what Define says of it. It holds on to the SDK's attributes, which are there anyway, and makes them canonical when it is asked,
 * which is once on each stream: 10,000 series of six attributes would else take 10 MB.
 */
export class ServiceLife implements StreamSeries {
  readonly epoch: Epoch | undefined;
  readonly startTimeUs: number;
  readonly #of: ServiceMetric;
  readonly #attributes: SdkAttributes;

  constructor(of: ServiceMetric, attributes: SdkAttributes, epoch: Epoch | undefined, startTimeUs: number) {
    this.#of = of;
    this.#attributes = attributes;
    this.epoch = epoch;
    this.startTimeUs = startTimeUs;
  }

  get resource(): Resource | undefined {
    return this.#of.resource;
  }

  get scope(): InstrumentationScope {
    return this.#of.scope;
  }

  get metric(): MetricDescription {
    return this.#of.description;
  }

  get attributes(): Attributes {
    return attributesFromSdk(this.#attributes);
  }

  /** Another life of the same series. */
  next(epoch: Epoch | undefined, startTimeUs: number): ServiceLife {
    return new ServiceLife(this.#of, this.#attributes, epoch, startTimeUs);
  }

  isOfSeriesOf(other: ServiceLife): boolean {
    return this.#attributes === other.#attributes && this.#of === other.#of;
  }
}
