import type { OtlpExportRequest } from './export-request.ts';

type Json = { [key: string]: Json } | Json[] | string | number | boolean | null | undefined;
type JsonObject = { [key: string]: Json };

/**
 * An ExportMetricsServiceRequest in OTLP/JSON, as anybody sends it (our own, an SDK, the OpenTelemetry Collector with `encoding: json`),
 * in the form in which proto/load.ts decodes the bytes. Written from the specification, apart from otel/otlp/json.ts.
 * @throws TypeError at a field of another type, or one that the specification does not know
 */
export function parseOtlpJson(text: string): OtlpExportRequest {
  return request(JSON.parse(text) as Json) as unknown as OtlpExportRequest;
}

type Reader = (value: Json, path: string) => Json | Buffer;

function fail(path: string, value: Json, expected: string): never {
  throw new TypeError(`${path} is ${JSON.stringify(value)}: expected ${expected}`);
}

const string: Reader = (value, path) => (typeof value === 'string' ? value : fail(path, value, 'a string'));
const bool: Reader = (value, path) => (typeof value === 'boolean' ? value : fail(path, value, 'a boolean'));
const integer: Reader = (value, path) => {
  const asText = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
  return typeof asText === 'string' && /^-?\d{1,20}$/.test(asText)
    ? BigInt(asText).toString()
    : fail(path, value, 'an integer');
};
const int32: Reader = (value, path) => Number(integer(value, path));
const double: Reader = (value, path) => {
  if (typeof value === 'number') return value;
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value);
  return typeof value === 'string' && value !== '' && Number.isFinite(Number(value))
    ? Number(value)
    : fail(path, value, 'a double');
};
const base64: Reader = (value, path) => Buffer.from(string(value, path) as string, 'base64');
const hex: Reader = (value, path) =>
  /^([0-9a-f]{2})*$/i.test(string(value, path) as string)
    ? Buffer.from(value as string, 'hex')
    : fail(path, value, 'hex digits');
const temporality: Reader = (value, path) => {
  const names = ['UNSPECIFIED', 'DELTA', 'CUMULATIVE'].map((name) => `AGGREGATION_TEMPORALITY_${name}`);
  const number = typeof value === 'string' ? names.indexOf(value) : value;
  return number === 0 || number === 1 || number === 2
    ? number
    : fail(path, value, 'an AggregationTemporality');
};
const list =
  (item: Reader): Reader =>
  (value, path) =>
    Array.isArray(value)
      ? (value.map((each, i) => item(each, `${path}[${i}]`)) as Json)
      : fail(path, value, 'a list');

/** A message: its fields, and for those that are absent what they are then. */
function message(
  fields: Record<string, Reader>,
  defaults: JsonObject = {},
  oneof?: [string, string[]],
): Reader {
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return fail(path, value, 'an object');
    const result: Record<string, unknown> = structuredClone(defaults);
    for (const [key, inner] of Object.entries(value)) {
      const field = fields[key] ?? fail(`${path}.${key}`, inner, `one of ${Object.keys(fields).join(', ')}`);
      if (inner === null || inner === undefined) continue;
      result[key] = field(inner, `${path}.${key}`);
      if (oneof?.[1].includes(key)) result[oneof[0]] = key;
    }
    return result as Json;
  };
}

const anyValue: Reader = (value, path) => anyValueMessage(value, path);
const keyValue = message({ key: string, value: anyValue }, { key: '', value: null });
const anyValueMessage = message(
  {
    stringValue: string,
    boolValue: bool,
    intValue: integer,
    doubleValue: double,
    arrayValue: message({ values: list(anyValue) }, { values: [] }),
    kvlistValue: message({ values: list(keyValue) }, { values: [] }),
    bytesValue: base64,
  },
  {},
  [
    'value',
    ['stringValue', 'boolValue', 'intValue', 'doubleValue', 'arrayValue', 'kvlistValue', 'bytesValue'],
  ],
);
const attributes = list(keyValue);
const exemplar = message({
  filteredAttributes: attributes,
  timeUnixNano: integer,
  asDouble: double,
  asInt: integer,
  spanId: hex,
  traceId: hex,
});
const point = {
  attributes,
  startTimeUnixNano: integer,
  timeUnixNano: integer,
  flags: int32,
  exemplars: list(exemplar),
};
const pointDefaults = { attributes: [], startTimeUnixNano: '0', timeUnixNano: '0', flags: 0, exemplars: [] };
const number = message({ ...point, asDouble: double, asInt: integer }, pointDefaults, [
  'value',
  ['asDouble', 'asInt'],
]);
const statistics = { count: integer, sum: double, min: double, max: double };
const histogram = message(
  { ...point, ...statistics, bucketCounts: list(integer), explicitBounds: list(double) },
  { ...pointDefaults, count: '0', bucketCounts: [], explicitBounds: [] },
);
const buckets = message({ offset: int32, bucketCounts: list(integer) }, { offset: 0, bucketCounts: [] });
const exponentialHistogram = message(
  {
    ...point,
    ...statistics,
    scale: int32,
    zeroCount: integer,
    zeroThreshold: double,
    positive: buckets,
    negative: buckets,
  },
  {
    ...pointDefaults,
    count: '0',
    scale: 0,
    zeroCount: '0',
    zeroThreshold: 0,
    positive: null,
    negative: null,
  },
);
const { exemplars: _, ...summaryPoint } = point;
const summary = message(
  {
    ...summaryPoint,
    count: integer,
    sum: double,
    quantileValues: list(message({ quantile: double, value: double }, { quantile: 0, value: 0 })),
  },
  { ...pointDefaults, count: '0', sum: 0, quantileValues: [] },
);
const data = (item: Reader, more: Record<string, Reader> = {}, defaults: JsonObject = {}): Reader =>
  message({ dataPoints: list(item), ...more }, { dataPoints: [], ...defaults });
const withTemporality = { aggregationTemporality: temporality };
const metric = message(
  {
    name: string,
    description: string,
    unit: string,
    metadata: attributes,
    gauge: data(number),
    sum: data(
      number,
      { ...withTemporality, isMonotonic: bool },
      { aggregationTemporality: 0, isMonotonic: false },
    ),
    histogram: data(histogram, withTemporality, { aggregationTemporality: 0 }),
    exponentialHistogram: data(exponentialHistogram, withTemporality, { aggregationTemporality: 0 }),
    summary: data(summary),
  },
  { name: '', description: '', unit: '', metadata: [] },
  ['data', ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary']],
);
const scope = message(
  { name: string, version: string, attributes, droppedAttributesCount: int32 },
  { name: '', version: '', attributes: [], droppedAttributesCount: 0 },
);
const entityRef = message({
  schemaUrl: string,
  type: string,
  idKeys: list(string),
  descriptionKeys: list(string),
});
const resource = message(
  { attributes, droppedAttributesCount: int32, entityRefs: list(entityRef) },
  { attributes: [], droppedAttributesCount: 0, entityRefs: [] },
);
const scopeMetrics = message(
  { scope, metrics: list(metric), schemaUrl: string },
  { scope: null, metrics: [], schemaUrl: '' },
);
const resourceMetrics = message(
  { resource, scopeMetrics: list(scopeMetrics), schemaUrl: string },
  { resource: null, scopeMetrics: [], schemaUrl: '' },
);
const requestMessage = message({ resourceMetrics: list(resourceMetrics) }, { resourceMetrics: [] });

function request(value: Json): Json | Buffer {
  return requestMessage(value, 'request');
}
