import test from 'ava';
import fc from 'fast-check';
import {
  attributesFromWire,
  attributesToWire,
  maxAttributeDepth,
  valueFromWire,
  valueToWire,
} from '../../../otel/model/any-value.ts';
import { AttributeMap, type AttributeValue, attributes } from '../../../otel/model/attributes.ts';
import { InvalidDataError } from '../../../proto/error.ts';
import { decodeAgentMessage, encodeAgentMessage } from '../../../proto/messages/agent-message.ts';
import type { AnyValue, KeyValue } from '../../../proto/messages/any-value.ts';

const { value: anyAttribute } = fc.letrec<{ value: AttributeValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string({ unit: 'grapheme' }),
    fc.boolean(),
    fc.double(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.constant(null),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.array(tie('value')),
    fc
      .array(fc.tuple(fc.string({ minLength: 1 }), tie('value')), { maxLength: 4 })
      .map((pairs) => new AttributeMap(attributes(pairs))),
  ),
}));

test('attributes come back through the bytes of a message as they were', (t) => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ minLength: 1, unit: 'grapheme' }), anyAttribute)), (pairs) => {
      const list = attributes(pairs);
      const bytes = encodeAgentMessage({
        type: 'hello',
        protocolVersion: 1,
        memberId: 'a',
        incarnation: Buffer.alloc(16),
        bootId: '',
        resource: attributesToWire(list),
        resourceSchemaUrl: '',
        capabilities: [],
        clockUs: 0,
        lastAck: undefined,
        userAgent: '',
        ackDelayMs: 5000,
      });
      const message = decodeAgentMessage(bytes);
      if (message.type !== 'hello') throw new Error(message.type);
      t.deepEqual(attributesFromWire(message.resource, 'resource'), list);
    }),
    { numRuns: 100 },
  );
});

test('on the wire a number is a double and a bigint an int64', (t) => {
  t.deepEqual(valueToWire(1), { doubleValue: 1 });
  t.deepEqual(valueToWire(1n), { intValue: '1' });
  t.deepEqual(valueToWire(null), {});
  t.is(valueFromWire({ intValue: '-9223372036854775808' }, ''), -(2n ** 63n));
  t.is(valueFromWire(null, ''), null);
});

test('attributes are put in canonical order', (t) => {
  const list = attributesFromWire(
    [
      { key: 'b', value: { boolValue: true } },
      { key: 'a', value: null },
    ],
    'x',
  );
  t.deepEqual(list, [
    ['a', null],
    ['b', true],
  ]);
});

const invalid: Record<string, [list: KeyValue[], message: RegExp]> = {
  'an empty key': [[{ key: '', value: {} }], /^series\[1\].attributes\[0\].key: /],
  'a key twice': [
    [
      { key: 'a', value: {} },
      { key: 'a', value: {} },
    ],
    /^series\[1\].attributes: the key "a" comes twice/,
  ],
  'a key twice within a value': [
    [
      {
        key: 'a',
        value: {
          arrayValue: {
            values: [
              {},
              {
                kvlistValue: {
                  values: [
                    { key: 'k', value: {} },
                    { key: 'k', value: {} },
                  ],
                },
              },
            ],
          },
        },
      },
    ],
    /^series\[1\].attributes\[0\].value.array_value\[1\].kvlist_value: /,
  ],
  'an integer that is none': [
    [{ key: 'a', value: { intValue: '1.5' } }],
    /^series\[1\].attributes\[0\].value: "1.5"/,
  ],
  'an integer of 65 bits': [[{ key: 'a', value: { intValue: '9223372036854775808' } }], /64-bit/],
};

for (const [title, [list, message]] of Object.entries(invalid))
  test(`refused: ${title}`, (t) => {
    t.throws(() => attributesFromWire(list, 'series[1].attributes'), {
      instanceOf: InvalidDataError,
      message,
    });
  });

test('nesting is bounded', (t) => {
  const nested = (depth: number): AnyValue =>
    depth === 0 ? { boolValue: true } : { arrayValue: { values: [nested(depth - 1)] } };
  t.notThrows(() => valueFromWire(nested(maxAttributeDepth), 'v'));
  t.throws(() => valueFromWire(nested(maxAttributeDepth + 1), 'v'), {
    instanceOf: InvalidDataError,
    message: /16 levels/,
  });
});
