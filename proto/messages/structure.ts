import { bytesType, FieldReader } from '../columns/field-reader.ts';
import { InvalidDataError } from '../error.ts';

/** How deep values may be nested in one another: arrays and key-value lists. */
export const maxValueDepth = 16;

/** How many messages one control message may hold, all levels together: what keeps small bytes from becoming a large heap. */
export const maxInnerMessages = 100_000;

/** The fields of a message that hold messages themselves. */
type Shape = { readonly [field: number]: Shape } | 'value' | 'key_value';

const attributes = 'key_value';
const position: Shape = {};
const instruct: Shape = { 3: {}, 4: {}, 5: {} };

export const agentMessageShape: Shape = {
  1: { 23: { 6: attributes } },
  2: { 5: attributes, 9: position },
  3: { 1: { 2: attributes }, 2: { 4: attributes }, 3: {}, 4: {}, 5: { 4: attributes } },
  4: {},
  5: {},
  6: {},
};

export const collectorMessageShape: Shape = {
  1: { 2: position },
  2: { 4: {}, 6: instruct, 9: position },
  3: {},
  4: instruct,
};

/**
 * Looks over the bytes of a message before they are decoded: how many messages they hold, and how deep values are nested.
 * @throws InvalidDataError above {@link maxInnerMessages} or {@link maxValueDepth}, or for bytes that are no protobuf message
 */
export function checkStructure(bytes: Uint8Array, shape: Shape): void {
  count(bytes, 0, bytes.length, shape, 0, 0);
}

function count(
  bytes: Uint8Array,
  start: number,
  end: number,
  shape: Shape,
  seen: number,
  depth: number,
): number {
  if (depth > maxValueDepth)
    throw new InvalidDataError(`a value is nested more than ${maxValueDepth} levels deep`);
  const fields = new FieldReader();
  fields.reset(bytes, start, end);
  while (fields.next()) {
    const inner = innerShape(shape, fields.field);
    if (inner === undefined || fields.wireType !== bytesType) continue;
    if (++seen > maxInnerMessages)
      throw new InvalidDataError(
        `a message holds more than ${maxInnerMessages} definitions and attributes; send several messages`,
      );
    seen = count(bytes, fields.start, fields.end, inner, seen, shape === 'value' ? depth + 1 : depth);
  }
  return seen;
}

/** ArrayValue and KeyValueList both hold their values in field 1. */
const array: Shape = { 1: 'value' };
const list: Shape = { 1: 'key_value' };

function innerShape(shape: Shape, field: number): Shape | undefined {
  if (shape === 'key_value') return field === 2 ? 'value' : undefined;
  if (shape === 'value') return field === 5 ? array : field === 6 ? list : undefined;
  return Object.hasOwn(shape, field) ? shape[field] : undefined;
}
