/**
 * The value of an attribute, after OTLP's AnyValue. A `number` is a double and a `bigint` is an int64, so that 1.0 and 1 stay
 * what they were; `null` is the empty value; a nested object is a key-value list.
 */
export type AttributeValue =
  | string
  | boolean
  | number
  | bigint
  | null
  | Uint8Array
  | readonly AttributeValue[]
  | AttributeMap;

/** A key-value list as a value. A class, so that no key can be mistaken for something of the language's own. */
export class AttributeMap {
  readonly entries: Attributes;
  constructor(entries: Attributes) {
    this.entries = entries;
  }
}

/** Attributes in canonical form: unique keys in ascending order of their UTF-16 code units. Made by {@link attributes}. */
export type Attributes = readonly (readonly [key: string, value: AttributeValue])[];

export const noAttributes: Attributes = Object.freeze([]);

/** Attributes in canonical form, from a literal or from pairs. Of two pairs with one key the later one holds; `undefined` values are left out. */
export function attributes(
  from: Readonly<Record<string, AttributeValue | undefined>> | Iterable<readonly [string, AttributeValue]>,
): Attributes {
  const pairs: Iterable<readonly [string, AttributeValue | undefined]> =
    Symbol.iterator in from
      ? (from as Iterable<readonly [string, AttributeValue]>)
      : Object.entries(from as Record<string, AttributeValue | undefined>);
  const unique = new Map<string, AttributeValue>();
  for (const [key, value] of pairs) if (value !== undefined) unique.set(key, value);
  return [...unique].sort((a, b) => (a[0] < b[0] ? -1 : 1));
}

/** The value under a key, or `undefined`. */
export function attributeOf(list: Attributes, key: string): AttributeValue | undefined {
  for (const pair of list) if (pair[0] === key) return pair[1];
  return undefined;
}

/** Both lists in one; where a key is in both, the value of `over` holds. */
export function mergeAttributes(base: Attributes, over: Attributes): Attributes {
  if (base.length === 0) return over;
  if (over.length === 0) return base;
  return attributes([...base, ...over]);
}

/** A string that is equal for equal attributes, and for no others. */
export function attributesKey(list: Attributes): string {
  let key = '';
  for (const [name, value] of list) key += `${name.length}:${name}${valueKey(value)}`;
  return key;
}

function valueKey(value: AttributeValue): string {
  switch (typeof value) {
    case 'string':
      return `s${value.length}:${value}`;
    case 'boolean':
      return value ? 't' : 'f';
    case 'bigint':
      return `i${value};`;
    case 'number':
      return `d${Object.is(value, -0) ? '-0' : value};`;
    default:
      if (value === null) return 'n';
      if (value instanceof Uint8Array) return `b${value.length}:${Buffer.from(value).toString('latin1')}`;
      if (value instanceof AttributeMap) return `{${attributesKey(value.entries)}}`;
      return `[${value.map(valueKey).join('')}]`;
  }
}

/** The value as text, for people, for Prometheus labels and for matching: strings as they are, all else as JSON. */
export function attributeText(value: AttributeValue): string {
  return typeof value === 'string' ? value : JSON.stringify(plain(value));
}

function plain(value: AttributeValue): unknown {
  if (typeof value === 'bigint') return BigInt.asIntN(53, value) === value ? Number(value) : value.toString();
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof AttributeMap)
    return Object.fromEntries(value.entries.map(([key, inner]) => [key, plain(inner)]));
  return value.map(plain);
}
