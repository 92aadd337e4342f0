import { loadProto } from '../../proto/load.ts';

/** OTLP messages as proto/load.ts decodes them: 64-bit integers are decimal strings, bytes are Buffers, enums numbers. */
export interface OtlpAnyValue {
  value?: string;
  stringValue?: string;
  boolValue?: boolean;
  intValue?: string;
  doubleValue?: number;
  arrayValue?: { values: OtlpAnyValue[] };
  kvlistValue?: { values: OtlpKeyValue[] };
  bytesValue?: Uint8Array;
}

export interface OtlpKeyValue {
  key: string;
  value: OtlpAnyValue | null;
}

export interface OtlpNumberDataPoint {
  attributes: OtlpKeyValue[];
  startTimeUnixNano: string;
  timeUnixNano: string;
  value?: string;
  asDouble?: number;
  asInt?: string;
  flags: number;
}

export interface OtlpHistogramDataPoint {
  attributes: OtlpKeyValue[];
  startTimeUnixNano: string;
  timeUnixNano: string;
  count: string;
  sum?: number;
  min?: number;
  max?: number;
  bucketCounts: string[];
  explicitBounds: number[];
  flags: number;
}

export interface OtlpExponentialHistogramDataPoint {
  attributes: OtlpKeyValue[];
  startTimeUnixNano: string;
  timeUnixNano: string;
  count: string;
  sum?: number;
  min?: number;
  max?: number;
  scale: number;
  zeroCount: string;
  zeroThreshold: number;
  positive: { offset: number; bucketCounts: string[] } | null;
  negative: { offset: number; bucketCounts: string[] } | null;
  flags: number;
}

export interface OtlpSummaryDataPoint {
  attributes: OtlpKeyValue[];
  startTimeUnixNano: string;
  timeUnixNano: string;
  count: string;
  sum: number;
  quantileValues: { quantile: number; value: number }[];
  flags: number;
}

export interface OtlpMetric {
  name: string;
  description: string;
  unit: string;
  gauge?: { dataPoints: OtlpNumberDataPoint[] };
  sum?: { dataPoints: OtlpNumberDataPoint[]; aggregationTemporality: number; isMonotonic: boolean };
  histogram?: { dataPoints: OtlpHistogramDataPoint[]; aggregationTemporality: number };
  exponentialHistogram?: { dataPoints: OtlpExponentialHistogramDataPoint[]; aggregationTemporality: number };
  summary?: { dataPoints: OtlpSummaryDataPoint[] };
}

export interface OtlpScope {
  name: string;
  version: string;
  attributes: OtlpKeyValue[];
}

export interface OtlpExportRequest {
  resourceMetrics: {
    resource: { attributes: OtlpKeyValue[] } | null;
    schemaUrl: string;
    scopeMetrics: { scope: OtlpScope | null; schemaUrl: string; metrics: OtlpMetric[] }[];
  }[];
}

export interface OtlpExportResponse {
  partialSuccess?: { rejectedDataPoints: string | number; errorMessage: string } | null;
}

const file = 'opentelemetry/proto/collector/metrics/v1/metrics_service.proto';

interface ServiceMethod {
  path: string;
  requestDeserialize(bytes: Buffer): object;
  requestSerialize(value: object): Buffer;
  responseDeserialize(bytes: Buffer): object;
  responseSerialize(value: object): Buffer;
}

/** `MetricsService/Export` as proto/load.ts loads it: the oracle that tests hold our own coders against. */
export function exportMethod(): ServiceMethod {
  const service = loadProto(file)['opentelemetry.proto.collector.metrics.v1.MetricsService'];
  return (service as unknown as { Export: ServiceMethod }).Export;
}

/** @throws when the bytes are no ExportMetricsServiceRequest */
export function decodeExportRequest(bytes: Uint8Array): OtlpExportRequest {
  return exportMethod().requestDeserialize(Buffer.from(bytes)) as OtlpExportRequest;
}

export function encodeExportResponse(response: OtlpExportResponse): Buffer {
  return exportMethod().responseSerialize(response);
}
