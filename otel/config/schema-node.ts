import { z } from 'zod';

// What error messages and the reference need to know of a zod schema: its structure and, of a value, what is allowed.

type Schema = z.core.$ZodType;

declare module 'zod' {
  interface GlobalMeta {
    /** What values are allowed, in words, where the type does not say it. */
    allowed?: string;
    /** Known so that a message can say why it is not accepted; left out of the reference and of suggestions. */
    isUnsupported?: boolean;
    /** The default in words, where it is not a plain value. */
    defaultText?: string;
  }
}

/** The schema below wrappers: optional, nullable, default, preprocess. */
export function unwrap(schema: Schema): Schema {
  for (;;) {
    const { def } = (schema as z.core.$ZodTypes)._zod;
    if (def.type === 'pipe') schema = def.in._zod.def.type === 'transform' ? def.out : def.in;
    else if (def.type === 'optional' || def.type === 'nullable' || def.type === 'default') {
      schema = def.innerType;
    } else return schema;
  }
}

/** A schema's own metadata, or that of the nearest schema it wraps that has some of this name. */
export function metaOf<K extends keyof z.GlobalMeta>(schema: Schema, key: K): z.GlobalMeta[K] | undefined {
  for (;;) {
    const value = z.globalRegistry.get(schema)?.[key];
    if (value !== undefined) return value;
    const { def } = (schema as z.core.$ZodTypes)._zod;
    if (def.type === 'pipe') schema = def.in._zod.def.type === 'transform' ? def.out : def.in;
    else if (def.type === 'optional' || def.type === 'nullable' || def.type === 'default') {
      schema = def.innerType;
    } else return undefined;
  }
}

/** The keys of a mapping's schema with their schemas; `undefined` when it is no mapping with fixed keys. */
export function shapeOf(schema: Schema): Readonly<Record<string, Schema>> | undefined {
  const { def } = (unwrap(schema) as z.core.$ZodTypes)._zod;
  return def.type === 'object' ? def.shape : undefined;
}

/** The schema of a list's items or of a free mapping's values. */
export function elementOf(schema: Schema): Schema | undefined {
  const { def } = (unwrap(schema) as z.core.$ZodTypes)._zod;
  if (def.type === 'array') return def.element;
  return def.type === 'record' ? def.valueType : undefined;
}

/** The keys that may be given in a mapping, without those that are known but not supported. */
export function keysOf(schema: Schema): string[] {
  const shape = shapeOf(schema) ?? {};
  return Object.keys(shape).filter((key) => metaOf(shape[key]!, 'isUnsupported') !== true);
}

/** The schema at a key path, or `undefined` where the path leaves the schema. */
export function schemaAt(schema: Schema, path: readonly PropertyKey[]): Schema | undefined {
  let at: Schema | undefined = schema;
  for (const key of path) {
    if (at === undefined) return undefined;
    const shape = shapeOf(at);
    at = shape === undefined ? elementOf(at) : shape[String(key)];
  }
  return at;
}

/** In words, what values a schema allows. */
export function allowedText(schema: Schema): string {
  const stated = metaOf(schema, 'allowed');
  if (stated !== undefined) return stated;
  const inner = unwrap(schema) as z.core.$ZodTypes;
  const { def } = inner._zod;
  switch (def.type) {
    case 'string':
      return 'text';
    case 'boolean':
      return 'true or false';
    case 'number':
      return numberText(inner as unknown as z.ZodNumber);
    case 'enum':
      return listed(Object.values(def.entries).map(String), 'or');
    case 'literal':
      return listed(def.values.map(String), 'or');
    case 'array':
      return `a list, each item ${allowedText(def.element)}`;
    case 'record':
      return `a mapping, each value ${allowedText(def.valueType)}`;
    case 'object':
      return `a mapping with the keys ${listed(keysOf(inner), 'and')}`;
    default:
      return 'a value';
  }
}

function numberText(schema: z.ZodNumber): string {
  const noun = schema.format === 'safeint' ? 'a whole number' : 'a number';
  const { minValue, maxValue } = schema;
  const hasMin = minValue !== null && minValue > Number.MIN_SAFE_INTEGER;
  const hasMax = maxValue !== null && maxValue < Number.MAX_SAFE_INTEGER;
  if (hasMin && hasMax) return `${noun} from ${minValue} to ${maxValue}`;
  if (hasMin) return `${noun} of at least ${minValue}`;
  return hasMax ? `${noun} of at most ${maxValue}` : noun;
}

/** `a, b or c` */
export function listed(words: readonly string[], conjunction: 'and' | 'or'): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} ${conjunction} ${words.at(-1)}`;
}
