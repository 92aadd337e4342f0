import { ValueType } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AggregationTemporality, DataPointType, type ResourceMetrics } from '@opentelemetry/sdk-metrics';

/** A point of a monotonic sum as the SDK would give it. Times are seconds. */
export interface GivenPoint {
  readonly queue: string;
  readonly value: number;
  readonly start: number;
}

const resource = resourceFromAttributes({ 'service.name': 'shop' });
const scope = { name: 'scope' };

/** A collection of one sum, with attributes that are new objects each time, as a MetricProducer's may be. */
export function collection(
  endS: number,
  points: readonly GivenPoint[],
  more: { temporality?: AggregationTemporality; name?: string; type?: string } = {},
): ResourceMetrics {
  const { temporality = AggregationTemporality.CUMULATIVE, name = 'jobs', type = 'COUNTER' } = more;
  const descriptor = { name, description: '', unit: '', valueType: ValueType.INT, type };
  const dataPoints = points.map(({ queue, value, start }) => ({
    attributes: { queue },
    startTime: [start, 0] as [number, number],
    endTime: [endS, 0] as [number, number],
    value,
  }));
  return {
    resource,
    scopeMetrics: [
      {
        scope,
        metrics: [
          {
            descriptor,
            aggregationTemporality: temporality,
            dataPointType: DataPointType.SUM,
            dataPoints,
            isMonotonic: true,
          },
        ],
      },
    ],
  };
}
