// The vocabulary of metrics that agents, sources and readers share, and the ways out of it: `streamgauge/otel`.
export { type SdkLoss, StateProducer, type StateProducerOptions } from './export/state-producer.ts';
export {
  AttributeMap,
  type Attributes,
  type AttributeValue,
  attributeOf,
  attributes,
  attributeText,
  mergeAttributes,
} from './model/attributes.ts';
export {
  type MetricDescription,
  type MetricKind,
  metric,
  type Temporality,
  type ValueType,
} from './model/metric.ts';
export { emptyResource, type Resource } from './model/resource.ts';
export { emptyScope, type InstrumentationScope } from './model/scope.ts';
export { type EncodedRequest, encodeRequests } from './otlp/encode-requests.ts';
export { collectionFromSdk } from './otlp/from-sdk.ts';
export { toOtlpJson } from './otlp/json.ts';
export {
  StreamMetricExporter,
  type StreamMetricExporterOptions,
  type StreamMetricExporterStatus,
} from './sdk/stream-metric-exporter.ts';
export {
  batchesOf,
  type Collection,
  type MetricStream,
  noMore,
  noRecordedValue,
  PointBatch,
  type ResourceMetrics,
  type ScopeMetrics,
  type SeriesAttributes,
} from './state/point-batch.ts';
