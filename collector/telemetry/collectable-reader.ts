import { AggregationTemporality, InstrumentType, MetricReader } from '@opentelemetry/sdk-metrics';
import type { Temporality } from '../../otel/model/metric.ts';

/**
 * A MetricReader of the SDK that is collected from outside, by one of our own readers. For delta it follows the OTLP exporters'
 * preference of that name: counters and histograms are delta, up-down counters stay cumulative.
 */
export class CollectableReader extends MetricReader {
  constructor(temporality: Temporality) {
    super({
      aggregationTemporalitySelector: (type) =>
        temporality === 'cumulative' || upAndDown.has(type)
          ? AggregationTemporality.CUMULATIVE
          : AggregationTemporality.DELTA,
    });
  }

  protected override async onShutdown(): Promise<void> {}

  protected override async onForceFlush(): Promise<void> {}
}

const upAndDown: ReadonlySet<InstrumentType> = new Set([
  InstrumentType.UP_DOWN_COUNTER,
  InstrumentType.OBSERVABLE_UP_DOWN_COUNTER,
]);
