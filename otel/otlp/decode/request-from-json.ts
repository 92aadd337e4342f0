import { InvalidDataError } from '../../../proto/error.ts';
import { maxAttributeDepth } from '../../model/any-value.ts';
import { WireWriter } from '../wire-writer.ts';
import {
  bool,
  bytes as bytesField,
  double,
  type FieldWriter,
  fixed64,
  int64,
  message,
  objectOf,
  packed,
  packedDouble,
  packedFixed64,
  packedUint64,
  parseJson,
  repeated,
  sfixed64,
  sint32,
  string,
  uint32,
  writeFields,
} from './json-fields.ts';

/** An AnyValue at this depth of arrays and key-value lists. */
function anyValue(tag: number, depth = 0): FieldWriter {
  return (writer, value, path) => {
    const object = objectOf(value, path);
    const start = writer.openPadded(tag);
    writeFields(writer, object, depth > maxAttributeDepth ? tooDeep : valueFields(depth), path);
    writer.closePadded(start);
  };
}

const deeper: FieldWriter = (_writer, _value, path) => {
  throw new InvalidDataError(`is nested more than ${maxAttributeDepth} levels deep`, { fieldPath: path });
};
const scalars = {
  stringValue: string(0x0a),
  boolValue: bool(0x10),
  intValue: int64(0x18),
  doubleValue: double(0x21),
  bytesValue: bytesField(0x3a),
};
const tooDeep = { ...scalars, arrayValue: deeper, kvlistValue: deeper };
const byDepth: Readonly<Record<string, FieldWriter>>[] = [];

function valueFields(depth: number): Readonly<Record<string, FieldWriter>> {
  byDepth[depth] ??= {
    ...scalars,
    arrayValue: message(0x2a, { values: repeated(anyValue(0x0a, depth + 1)) }),
    kvlistValue: message(0x32, { values: repeated(keyValue(0x0a, depth + 1)) }),
  };
  return byDepth[depth];
}

function keyValue(tag: number, depth = 0): FieldWriter {
  return message(tag, { key: string(0x0a), value: anyValue(0x12, depth) });
}

/** Exemplars are passed over, and counted. */
const exemplars = (tag: number): FieldWriter => repeated(message(tag, {}));
const times = { startTimeUnixNano: fixed64(0x11), timeUnixNano: fixed64(0x19) };

const numberPoint = message(0x0a, {
  attributes: repeated(keyValue(0x3a)),
  ...times,
  asDouble: double(0x21),
  asInt: sfixed64(0x31),
  exemplars: exemplars(0x2a),
  flags: uint32(0x40),
});
const histogramPoint = message(0x0a, {
  attributes: repeated(keyValue(0x4a)),
  ...times,
  count: fixed64(0x21),
  sum: double(0x29),
  bucketCounts: packed(0x32, packedFixed64),
  explicitBounds: packed(0x3a, packedDouble),
  exemplars: exemplars(0x42),
  flags: uint32(0x50),
  min: double(0x59),
  max: double(0x61),
});
const buckets = (tag: number): FieldWriter =>
  message(tag, { offset: sint32(0x08), bucketCounts: packed(0x12, packedUint64) });
const exponentialPoint = message(0x0a, {
  attributes: repeated(keyValue(0x0a)),
  ...times,
  count: fixed64(0x21),
  sum: double(0x29),
  scale: sint32(0x30),
  zeroCount: fixed64(0x39),
  positive: buckets(0x42),
  negative: buckets(0x4a),
  flags: uint32(0x50),
  exemplars: exemplars(0x5a),
  min: double(0x61),
  max: double(0x69),
  zeroThreshold: double(0x71),
});
const summaryPoint = message(0x0a, {
  attributes: repeated(keyValue(0x3a)),
  ...times,
  count: fixed64(0x21),
  sum: double(0x29),
  quantileValues: repeated(message(0x32, { quantile: double(0x09), value: double(0x11) })),
  flags: uint32(0x40),
});

const aggregationTemporality = uint32(0x10);
const metric = message(0x12, {
  name: string(0x0a),
  description: string(0x12),
  unit: string(0x1a),
  gauge: message(0x2a, { dataPoints: repeated(numberPoint) }),
  sum: message(0x3a, { dataPoints: repeated(numberPoint), aggregationTemporality, isMonotonic: bool(0x18) }),
  histogram: message(0x4a, { dataPoints: repeated(histogramPoint), aggregationTemporality }),
  exponentialHistogram: message(0x52, { dataPoints: repeated(exponentialPoint), aggregationTemporality }),
  summary: message(0x5a, { dataPoints: repeated(summaryPoint) }),
});
const scopeMetrics = message(0x12, {
  scope: message(0x0a, { name: string(0x0a), version: string(0x12), attributes: repeated(keyValue(0x1a)) }),
  metrics: repeated(metric),
  schemaUrl: string(0x1a),
});
const requestFields = {
  resourceMetrics: repeated(
    message(0x0a, {
      resource: message(0x0a, { attributes: repeated(keyValue(0x0a)) }),
      scopeMetrics: repeated(scopeMetrics),
      schemaUrl: string(0x1a),
    }),
  ),
};

/**
 * A request in OTLP/JSON as the bytes of an ExportMetricsServiceRequest, so that there is one way in. Rules:
 * https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 * @throws InvalidDataError naming the field in JSON's words: `resourceMetrics[0].scopeMetrics[1].schemaUrl`
 */
export function requestFromJson(bytes: Uint8Array): Uint8Array {
  const writer = new WireWriter(Math.max(1024, bytes.length));
  writeFields(writer, parseJson(bytes), requestFields, '');
  return writer.buffer.subarray(0, writer.position);
}
