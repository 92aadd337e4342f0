import test from 'ava';
import fc from 'fast-check';
import { attributes, attributesKey } from '../../../otel/model/attributes.ts';
import { CompactAttributes, inOnePiece } from '../../../otel/state/compact-attributes.ts';

// Every UTF-16 code unit, halves of surrogate pairs too.
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 100 }),
  fc.constantFrom('GET', 'ü', '\ud800', ''),
);

test('attributes are the same, whatever they hold', (t) => {
  const value = fc.oneof(
    text,
    fc.boolean(),
    fc.bigInt({ min: -9n, max: 9n }),
    fc.double(),
    fc.constant(null),
  );
  const compact = new CompactAttributes();
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.dictionary(text, value, { maxKeys: 5 }), (record) => {
        const given = attributes(record);
        const held = compact.of(given);
        if (attributesKey(held) !== attributesKey(given)) throw new Error(attributesKey(held));
      }),
      { numRuns: 500 },
    ),
  );
});

test('a text is the same in one piece, however long', (t) => {
  for (const length of [0, 1, 1365, 1366, 5000])
    for (const character of ['a', '\x7f', '\x80', 'ÿ', '漢', '\ud800'])
      t.is(inOnePiece(character.repeat(length)), character.repeat(length));
});

test('more strings than are remembered stay what they are', (t) => {
  const compact = new CompactAttributes();
  for (let i = 0; i < 10_000; i++) {
    const [[key, value]] = compact.of([['key', `value ${i}`]]) as [[string, string]];
    if (key !== 'key' || value !== `value ${i}`) t.fail(`${key} ${value}`);
  }
  t.pass();
});
