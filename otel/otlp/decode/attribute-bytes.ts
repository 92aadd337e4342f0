import { isUtf8 } from 'node:buffer';
import { InvalidDataError } from '../../../proto/error.ts';
import { maxAttributeDepth } from '../../model/any-value.ts';
import {
  AttributeMap,
  type Attributes,
  type AttributeValue,
  attributeText,
  noAttributes,
} from '../../model/attributes.ts';
import { bytesType, fixed64Type, varintType, type WireCursor } from './wire-cursor.ts';

/** What attributes may be. */
export interface AttributeLimits {
  /** Of one list, lists that are values included. */
  readonly maxAttributes: number;
  /** Of a key, and of a value as text. */
  readonly maxAttributeBytes: number;
}

/** Where and under what name attributes stand in a message. */
export interface AttributeField {
  readonly field: number;
  /** For errors. */
  readonly path: string;
}

/**
 * The attributes of a message, in canonical form. The message has been walked before.
 * @throws InvalidDataError naming the attribute: a key that is empty, comes twice or is too long, too many of them, a value that is too long, nested too deep or no UTF-8
 */
export function readAttributes(
  cursor: WireCursor,
  start: number,
  end: number,
  { field, path }: AttributeField,
  limits: AttributeLimits,
): Attributes {
  return readList(cursor, start, end, field, path, limits, 0);
}

/** A string field's payload. @throws InvalidDataError when it is no UTF-8 */
export function readText(cursor: WireCursor, end: number, path: string): string {
  const stop = cursor.length(end);
  const bytes = cursor.bytes.subarray(cursor.at, stop);
  cursor.at = stop;
  if (!isUtf8(bytes)) throw new InvalidDataError('is no UTF-8', { fieldPath: path });
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}

function readList(
  cursor: WireCursor,
  start: number,
  end: number,
  listField: number,
  path: string,
  limits: AttributeLimits,
  depth: number,
): Attributes {
  const list: [string, AttributeValue][] = [];
  cursor.at = start;
  while (cursor.at < end) {
    const tag = cursor.tag(end);
    if (tag >>> 3 !== listField) {
      cursor.skip(tag, end);
      continue;
    }
    cursor.expect(tag, bytesType);
    if (list.length === limits.maxAttributes)
      throw new InvalidDataError(`more than ${limits.maxAttributes} attributes`, { fieldPath: path });
    const stop = cursor.length(end);
    list.push(readPair(cursor, stop, `${path}[${list.length}]`, limits, depth));
  }
  if (list.length === 0) return noAttributes;
  list.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
  for (let i = 1; i < list.length; i++)
    if (list[i]![0] === list[i - 1]![0])
      throw new InvalidDataError(`the key ${quoted(list[i]![0])} comes twice; keys are unique`, {
        fieldPath: path,
      });
  return list;
}

function readPair(
  cursor: WireCursor,
  end: number,
  path: string,
  limits: AttributeLimits,
  depth: number,
): [string, AttributeValue] {
  let key = '';
  let value: AttributeValue = null;
  while (cursor.at < end) {
    const tag = cursor.tag(end);
    const field = tag >>> 3;
    if (field === 1 || field === 2) cursor.expect(tag, bytesType);
    if (field === 1) key = readText(cursor, end, `${path}.key`);
    else if (field === 2) value = readValue(cursor, cursor.length(end), `${path}.value`, limits, depth);
    else cursor.skip(tag, end);
  }
  if (key === '') throw new InvalidDataError('a key is not empty', { fieldPath: `${path}.key` });
  const keyBytes = Buffer.byteLength(key);
  const valueBytes = Buffer.byteLength(attributeText(value));
  if (keyBytes > limits.maxAttributeBytes || valueBytes > limits.maxAttributeBytes)
    throw new InvalidDataError(
      `${quoted(key)} has a key of ${keyBytes} and a value of ${valueBytes} bytes; at most ${limits.maxAttributeBytes} each are allowed`,
      { fieldPath: path },
    );
  return [key, value];
}

/** An AnyValue: the last one of its fields holds. */
function readValue(
  cursor: WireCursor,
  end: number,
  path: string,
  limits: AttributeLimits,
  depth: number,
): AttributeValue {
  let value: AttributeValue = null;
  while (cursor.at < end) {
    const tag = cursor.tag(end);
    const field = tag >>> 3;
    switch (field) {
      case 1:
        cursor.expect(tag, bytesType);
        value = readText(cursor, end, path);
        break;
      case 2:
        cursor.expect(tag, varintType);
        value = cursor.varint(end) !== 0;
        break;
      case 3:
        cursor.expect(tag, varintType);
        value = cursor.int64(end);
        break;
      case 4:
        cursor.expect(tag, fixed64Type);
        value = cursor.double(end);
        break;
      case 5:
      case 6: {
        cursor.expect(tag, bytesType);
        if (depth === maxAttributeDepth)
          throw new InvalidDataError(`is nested more than ${maxAttributeDepth} levels deep`, {
            fieldPath: path,
          });
        const stop = cursor.length(end);
        if (field === 5) value = readArray(cursor, stop, `${path}.array_value`, limits, depth + 1);
        else
          value = new AttributeMap(
            readList(cursor, cursor.at, stop, 1, `${path}.kvlist_value`, limits, depth + 1),
          );
        break;
      }
      case 7: {
        cursor.expect(tag, bytesType);
        const stop = cursor.length(end);
        // The request's bytes are not kept.
        value = Uint8Array.from(cursor.bytes.subarray(cursor.at, stop));
        cursor.at = stop;
        break;
      }
      default:
        cursor.skip(tag, end);
    }
  }
  return value;
}

function readArray(
  cursor: WireCursor,
  end: number,
  path: string,
  limits: AttributeLimits,
  depth: number,
): AttributeValue[] {
  const values: AttributeValue[] = [];
  while (cursor.at < end) {
    const tag = cursor.tag(end);
    if (tag >>> 3 !== 1) {
      cursor.skip(tag, end);
      continue;
    }
    cursor.expect(tag, bytesType);
    // Each takes two bytes here and many more in memory.
    if (values.length > limits.maxAttributeBytes)
      throw new InvalidDataError(`has more than ${limits.maxAttributeBytes} values`, { fieldPath: path });
    values.push(readValue(cursor, cursor.length(end), `${path}[${values.length}]`, limits, depth));
  }
  return values;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);
}
