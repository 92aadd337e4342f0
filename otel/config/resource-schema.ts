import { z } from 'zod';
import { type AttributeValue, attributes } from '../model/attributes.ts';
import type { Resource } from '../model/resource.ts';
import { nullAsEmpty, optional, text, unsupported } from './fields.ts';
import { parseKeyValueList } from './key-value-list.ts';

// `resource` of OpenTelemetry's declarative configuration, schema version 1.1.

const types = [
  'string',
  'bool',
  'int',
  'double',
  'string_array',
  'bool_array',
  'int_array',
  'double_array',
] as const;

type Scalar = string | boolean | number;

const scalar = z
  .union([z.string(), z.boolean(), z.number()])
  .meta({ allowed: 'text, a number, true or false' });

const attribute = z
  .strictObject({
    name: text().describe('The key.'),
    value: z
      .custom<Scalar | Scalar[] | null>((value) => value === null || isScalar(value) || isScalarList(value))
      .meta({ allowed: 'text, a number, true or false, or a list of these' })
      .describe('The value; without one the entry is ignored.'),
    type: optional(z.enum(types)).describe('The type of the value.').meta({ defaultText: "the value's own" }),
  })
  .transform(({ name, value, type }, context): readonly [string, AttributeValue] | undefined => {
    if (value === null) return undefined;
    const typed = typedValue(value, type);
    if (typed !== undefined) return [name, typed];
    context.addIssue({
      code: 'custom',
      path: ['value'],
      message: `allowed: a value of type ${type ?? 'int'}`,
    });
    return z.NEVER;
  });

const list = z.string().superRefine((value, context) => {
  const pairs = parseKeyValueList(value);
  if (typeof pairs === 'string') context.addIssue({ code: 'custom', message: pairs });
});

/** `resource`: gives a Resource; of two entries with one key the later one holds, `attributes` over `attributes_list`. */
export const resource = nullAsEmpty(
  z
    .strictObject({
      attributes: optional(z.array(attribute).max(256)).describe(
        'Attributes, each with name, value and type.',
      ),
      attributes_list: optional(list).describe(
        'Attributes as one text, `key1=value1,key2=value2`, as in OTEL_RESOURCE_ATTRIBUTES. They go behind those of `attributes`.',
      ),
      schema_url: optional(text()).describe('The schema URL of the resource.'),
      'detection/development': unsupported('the collector detects nothing; name the attributes'),
    })
    .transform(
      (value): Resource => ({
        attributes: attributes([
          ...(value.attributes_list === undefined
            ? []
            : (parseKeyValueList(value.attributes_list) as Map<string, string>)),
          ...(value.attributes ?? []).filter((pair) => pair !== undefined),
        ]),
        schemaUrl: value.schema_url ?? '',
      }),
    ),
);

/** A mapping of keys to scalars, the short form: whole numbers become int64, others double. */
export const attributeMapping = z
  .record(
    z.string().min(1),
    z.preprocess(
      (value) => (value === null ? undefined : value),
      scalar
        .refine((value) => typedValue(value, undefined) !== undefined, {
          error: 'allowed: whole numbers to ±2^53',
        })
        .optional(),
    ),
  )
  .transform((map) =>
    attributes(
      Object.entries(map).flatMap(([key, value]): [string, AttributeValue][] =>
        value === undefined ? [] : [[key, typedValue(value, undefined)!]],
      ),
    ),
  )
  .meta({ allowed: 'a mapping of attribute keys to text, numbers, true or false' });

function isScalar(value: unknown): value is Scalar {
  return typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number';
}

function isScalarList(value: unknown): value is Scalar[] {
  return Array.isArray(value) && value.length > 0 && value.every(isScalar);
}

/** The value as an attribute of that type; `undefined` when it is not of the type, or an integer beyond ±2^53. */
function typedValue(
  value: Scalar | Scalar[],
  type: (typeof types)[number] | undefined,
): AttributeValue | undefined {
  if (Array.isArray(value)) {
    if (type !== undefined && !type.endsWith('_array')) return undefined;
    const item = type?.slice(0, -'_array'.length) as (typeof types)[number] | undefined;
    // A list without a type holds doubles as soon as one of its numbers is no integer.
    const inferred =
      item ?? (value.some((one) => typeof one === 'number' && !Number.isInteger(one)) ? 'double' : undefined);
    const typed = value.map((one) =>
      typedValue(one, typeof one === 'number' || item !== undefined ? inferred : undefined),
    );
    return typed.every((one) => one !== undefined) && new Set(typed.map((one) => typeof one)).size === 1
      ? (typed as AttributeValue[])
      : undefined;
  }
  switch (type) {
    case 'string':
      return typeof value === 'string' ? value : undefined;
    case 'bool':
      return typeof value === 'boolean' ? value : undefined;
    case 'double':
      return typeof value === 'number' ? value : undefined;
    case 'int':
      return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : undefined;
    case undefined:
      if (typeof value !== 'number' || !Number.isInteger(value)) return value;
      return Number.isSafeInteger(value) ? BigInt(value) : undefined;
    default:
      return undefined;
  }
}
