import { maxAttributeDepth } from '../../otel/model/any-value.ts';
import {
  AttributeMap,
  type Attributes,
  type AttributeValue,
  attributes,
} from '../../otel/model/attributes.ts';
import { InvalidDataError } from '../../proto/error.ts';

/** A value of JSON. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** Attributes as pairs. Strings, booleans, null and arrays are JSON's own; all else is an object with one key that tells its type. */
export function attributesToJson(list: Attributes): Json {
  return list.map(([key, value]) => [key, toJson(value)]);
}

/** @throws InvalidDataError for what attributesToJson never makes */
export function attributesFromJson(json: unknown, depth = 0): Attributes {
  const pairs = listOf(json).map((pair): readonly [string, AttributeValue] => {
    const [key, value] = listOf(pair);
    if (typeof key !== 'string' || key === '') throw new InvalidDataError('an attribute has no key');
    return [key, fromJson(value, depth)];
  });
  return attributes(pairs);
}

function toJson(value: AttributeValue): Json {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'bigint':
      return { int: value.toString() };
    case 'number':
      return { double: Object.is(value, -0) || !Number.isFinite(value) ? numberText(value) : value };
    default:
      if (value === null) return null;
      if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('base64') };
      if (value instanceof AttributeMap) return { map: attributesToJson(value.entries) };
      return value.map(toJson);
  }
}

const numberText = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));

function fromJson(json: unknown, depth: number): AttributeValue {
  if (json === null || typeof json === 'string' || typeof json === 'boolean') return json;
  if (depth > maxAttributeDepth)
    throw new InvalidDataError(`an attribute is nested more than ${maxAttributeDepth} levels deep`);
  if (Array.isArray(json)) return json.map((inner) => fromJson(inner, depth + 1));
  if (typeof json === 'object') {
    const { int, double, bytes, map } = json as Record<string, unknown>;
    if (typeof int === 'string' && /^-?\d{1,19}$/.test(int)) return BigInt(int);
    if (typeof double === 'number') return double;
    if (typeof double === 'string' && /^(-0|-?Infinity|NaN)$/.test(double)) return Number(double);
    if (typeof bytes === 'string') return new Uint8Array(Buffer.from(bytes, 'base64'));
    if (map !== undefined) return new AttributeMap(attributesFromJson(map, depth + 1));
  }
  throw new InvalidDataError(`${JSON.stringify(json)?.slice(0, 64)} is no value of an attribute`);
}

/** @throws InvalidDataError for anything but an array */
export function listOf(json: unknown): readonly unknown[] {
  if (Array.isArray(json)) return json;
  throw new InvalidDataError(`${JSON.stringify(json)?.slice(0, 64)} is no list`);
}
