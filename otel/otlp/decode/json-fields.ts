import { isUtf8 } from 'node:buffer';
import { InvalidDataError } from '../../../proto/error.ts';
import type { WireWriter } from '../wire-writer.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** Writes a value of OTLP/JSON as a protobuf field of this tag. `path` is that of the value, for errors. */
export type FieldWriter = (writer: WireWriter, value: unknown, path: string) => void;

/** An integer of so many digits may not be what a double makes of it. */
const longInteger = /[:[,]\s*-?\d{16,}/;

/**
 * The object that is the JSON of a request.
 * @throws InvalidDataError when the bytes are no UTF-8, no JSON, or no object
 */
export function parseJson(bytes: Uint8Array): JsonObject {
  if (!isUtf8(bytes)) throw new InvalidDataError('the request is no UTF-8, as JSON has to be');
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  let value: unknown;
  try {
    value = longInteger.test(text) ? JSON.parse(text, exactInteger) : JSON.parse(text);
  } catch (cause) {
    throw new InvalidDataError(`the request is no JSON: ${(cause as Error).message}`, { cause });
  }
  return objectOf(value, '');
}

/** 64-bit integers may come as numbers: a long one is kept as it is written. */
function exactInteger(
  this: unknown,
  _key: string,
  value: unknown,
  context?: { readonly source?: string },
): unknown {
  const source = context?.source;
  return typeof value === 'number' && source !== undefined && /^-?\d{16,}$/.test(source) ? source : value;
}

/** @throws InvalidDataError when it is no object */
export function objectOf(value: unknown, path: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw wrong(value, path, 'an object');
}

export function string(tag: number): FieldWriter {
  return (writer, value, path) => {
    if (typeof value !== 'string') throw wrong(value, path, 'a string');
    writer.varint(tag);
    writer.string(value);
  };
}

export function bool(tag: number): FieldWriter {
  return (writer, value, path) => {
    if (typeof value !== 'boolean') throw wrong(value, path, 'true or false');
    writer.varint(tag);
    writer.varint(value ? 1 : 0);
  };
}

export function double(tag: number): FieldWriter {
  return (writer, value, path) => {
    writer.varint(tag);
    writer.double(doubleOf(value, path));
  };
}

export function fixed64(tag: number): FieldWriter {
  return (writer, value, path) => {
    writer.varint(tag);
    writeFixed64(writer, integerOf(value, path, 0n, 2n ** 64n - 1n));
  };
}

export function sfixed64(tag: number): FieldWriter {
  return (writer, value, path) => {
    writer.varint(tag);
    writeFixed64(writer, integerOf(value, path, -(2n ** 63n), 2n ** 63n - 1n));
  };
}

export function int64(tag: number): FieldWriter {
  return (writer, value, path) => {
    writer.varint(tag);
    writer.varint64(integerOf(value, path, -(2n ** 63n), 2n ** 63n - 1n));
  };
}

/** Also of enums, which OTLP/JSON has as integers. */
export function uint32(tag: number): FieldWriter {
  return (writer, value, path) => {
    writer.varint(tag);
    writer.varint(Number(integerOf(value, path, 0n, 2n ** 32n - 1n)));
  };
}

export function sint32(tag: number): FieldWriter {
  return (writer, value, path) => {
    const int = Number(integerOf(value, path, -(2n ** 31n), 2n ** 31n - 1n));
    writer.varint(tag);
    writer.varint(int < 0 ? -2 * int - 1 : 2 * int);
  };
}

/** Base64, of either alphabet. */
export function bytes(tag: number): FieldWriter {
  return (writer, value, path) => {
    if (typeof value !== 'string' || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(value))
      throw wrong(value, path, 'base64');
    writer.varint(tag);
    writer.bytes(Buffer.from(value, 'base64'));
  };
}

/** A repeated field: each value as its own. */
export function repeated(write: FieldWriter): FieldWriter {
  return (writer, value, path) => {
    if (!Array.isArray(value)) throw wrong(value, path, 'a list');
    for (const [i, item] of value.entries()) write(writer, item, `${path}[${i}]`);
  };
}

/** Packed numbers of eight bytes. */
export function packed(tag: number, write: FieldWriter): FieldWriter {
  return (writer, value, path) => {
    if (!Array.isArray(value)) throw wrong(value, path, 'a list');
    const start = writer.openPadded(tag);
    for (const [i, item] of value.entries()) write(writer, item, `${path}[${i}]`);
    writer.closePadded(start);
  };
}

export const packedFixed64: FieldWriter = (writer, value, path) =>
  writeFixed64(writer, integerOf(value, path, 0n, 2n ** 64n - 1n));
export const packedUint64: FieldWriter = (writer, value, path) =>
  writer.varint64(integerOf(value, path, 0n, 2n ** 64n - 1n));
export const packedDouble: FieldWriter = (writer, value, path) => writer.double(doubleOf(value, path));

/** A message, by its fields' names in lowerCamelCase; what is not known is passed over, and null is as if it were not there. */
export function message(tag: number, fields: Readonly<Record<string, FieldWriter>>): FieldWriter {
  return (writer, value, path) => {
    const start = writer.openPadded(tag);
    writeFields(writer, objectOf(value, path), fields, path);
    writer.closePadded(start);
  };
}

export function writeFields(
  writer: WireWriter,
  object: JsonObject,
  fields: Readonly<Record<string, FieldWriter>>,
  path: string,
): void {
  for (const [name, value] of Object.entries(object)) {
    if (value === null || !Object.hasOwn(fields, name)) continue;
    fields[name]!(writer, value, path === '' ? name : `${path}.${name}`);
  }
}

export function wrong(value: unknown, fieldPath: string, allowed: string): InvalidDataError {
  return new InvalidDataError(`is ${shown(value)}; ${allowed} is allowed`, { fieldPath });
}

/** What is in a list or an object may be as large and as deep as the request. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  const found = JSON.stringify(typeof value === 'string' ? value.slice(0, 65) : value) ?? 'nothing';
  return found.length > 64 ? `${found.slice(0, 64)}…` : found;
}

function doubleOf(value: unknown, path: string): number {
  if (typeof value === 'number') return value;
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value);
  if (typeof value === 'string' && /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value)) return Number(value);
  throw wrong(value, path, 'a number, "NaN", "Infinity" or "-Infinity"');
}

function integerOf(value: unknown, path: string, min: bigint, max: bigint): bigint {
  let integer: bigint | undefined;
  if (typeof value === 'number' && Number.isInteger(value)) integer = BigInt(value);
  else if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) integer = BigInt(value);
  if (integer === undefined || integer < min || integer > max)
    throw wrong(value, path, `a whole number from ${min} to ${max}, as a number or in quotes,`);
  return integer;
}

function writeFixed64(writer: WireWriter, value: bigint): void {
  writer.ensure(8);
  writer.view.setBigUint64(writer.position, BigInt.asUintN(64, value), true);
  writer.position += 8;
}
