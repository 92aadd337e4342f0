import { InvalidDataError } from '../../proto/error.ts';
import type { AnyValue, KeyValue } from '../../proto/messages/any-value.ts';
import { AttributeMap, type Attributes, type AttributeValue, noAttributes } from './attributes.ts';

/** How deep arrays and key-value lists may be nested in one another. */
export const maxAttributeDepth = 16;

/**
 * Attributes in canonical form, from the wire.
 * @param path of the list, for errors: `series[12].attributes`
 * @throws InvalidDataError when a key is empty or comes twice, or a value is invalid
 */
export function attributesFromWire(list: readonly KeyValue[], path: string): Attributes {
  return list.length === 0 ? noAttributes : entriesFrom(list, path, 0);
}

export function attributesToWire(list: Attributes): KeyValue[] {
  return list.map(([key, value]) => ({ key, value: valueToWire(value) }));
}

/** @param path of the value, for errors. @throws InvalidDataError when it is nested too deep, or a number is not one */
export function valueFromWire(value: AnyValue | null, path: string): AttributeValue {
  return valueFrom(value, path, 0);
}

export function valueToWire(value: AttributeValue): AnyValue {
  switch (typeof value) {
    case 'string':
      return { stringValue: value };
    case 'boolean':
      return { boolValue: value };
    case 'bigint':
      return { intValue: value.toString() };
    case 'number':
      return { doubleValue: value };
    default:
      if (value === null) return {};
      if (value instanceof Uint8Array) return { bytesValue: value };
      if (value instanceof AttributeMap) return { kvlistValue: { values: attributesToWire(value.entries) } };
      return { arrayValue: { values: value.map(valueToWire) } };
  }
}

function entriesFrom(list: readonly KeyValue[], path: string, depth: number): Attributes {
  const entries = list.map(({ key, value }, i): readonly [string, AttributeValue] => {
    if (key === '') throw new InvalidDataError('a key is not empty', { fieldPath: `${path}[${i}].key` });
    return [key, valueFrom(value, `${path}[${i}].value`, depth)];
  });
  entries.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
  for (let i = 1; i < entries.length; i++)
    if (entries[i][0] === entries[i - 1][0])
      throw new InvalidDataError(`the key ${JSON.stringify(entries[i][0])} comes twice; keys are unique`, {
        fieldPath: path,
      });
  return entries;
}

function valueFrom(value: AnyValue | null, path: string, depth: number): AttributeValue {
  if (value === null) return null;
  if (value.stringValue !== undefined) return value.stringValue;
  if (value.boolValue !== undefined) return value.boolValue;
  if (value.intValue !== undefined) return int64(value.intValue, path);
  if (value.doubleValue !== undefined) return value.doubleValue;
  if (value.bytesValue !== undefined) return value.bytesValue;
  const { arrayValue, kvlistValue } = value;
  if (!arrayValue && !kvlistValue) return null;
  if (depth === maxAttributeDepth)
    throw new InvalidDataError(`is nested more than ${maxAttributeDepth} levels deep`, { fieldPath: path });
  if (kvlistValue)
    return new AttributeMap(entriesFrom(kvlistValue.values, `${path}.kvlist_value`, depth + 1));
  return arrayValue!.values.map((inner, i) => valueFrom(inner, `${path}.array_value[${i}]`, depth + 1));
}

function int64(text: string, path: string): bigint {
  if (!/^-?\d{1,19}$/.test(text) || BigInt.asIntN(64, BigInt(text)) !== BigInt(text))
    throw new InvalidDataError(`${JSON.stringify(text)} is no 64-bit integer`, { fieldPath: path });
  return BigInt(text);
}
