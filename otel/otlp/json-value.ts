import { AttributeMap, type Attributes, type AttributeValue } from '../model/attributes.ts';

/** OTLP/JSON's AnyValue: one field set, or none for the empty value. */
export type JsonAnyValue =
  | { readonly stringValue: string }
  | { readonly boolValue: boolean }
  | { readonly intValue: string }
  | { readonly doubleValue: JsonDouble }
  | { readonly bytesValue: string }
  | { readonly arrayValue: { readonly values: readonly JsonAnyValue[] } }
  | { readonly kvlistValue: { readonly values: readonly JsonKeyValue[] } }
  | Record<string, never>;

export interface JsonKeyValue {
  readonly key: string;
  readonly value: JsonAnyValue;
}

/** JSON has no NaN, no infinities and, as JSON.stringify writes it, no -0: these are strings, as Protobuf's JSON mapping says. */
export type JsonDouble = number | 'NaN' | 'Infinity' | '-Infinity' | '-0';

export function jsonDouble(value: number): JsonDouble {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : value;
  return String(value) as 'NaN' | 'Infinity' | '-Infinity';
}

export function jsonAttributes(attributes: Attributes): JsonKeyValue[] {
  return attributes.map(([key, value]) => ({ key, value: jsonAnyValue(value) }));
}

/** Bytes as a value are base64; only trace and span ids are hex in OTLP/JSON. */
export function jsonAnyValue(value: AttributeValue): JsonAnyValue {
  switch (typeof value) {
    case 'string':
      return { stringValue: value };
    case 'boolean':
      return { boolValue: value };
    case 'bigint':
      return { intValue: BigInt.asIntN(64, value).toString() };
    case 'number':
      return { doubleValue: jsonDouble(value) };
    default:
      if (value === null) return {};
      if (value instanceof Uint8Array) return { bytesValue: Buffer.from(value).toString('base64') };
      if (value instanceof AttributeMap) return { kvlistValue: { values: jsonAttributes(value.entries) } };
      return { arrayValue: { values: value.map(jsonAnyValue) } };
  }
}
