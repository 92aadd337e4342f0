import test from 'ava';
import fc from 'fast-check';
import { KnownBytes, maxKnownBytes } from '../../../../otel/otlp/decode/known-bytes.ts';

const key = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]);

test('an id stands for parent, variant and bytes, whatever came before it', (t) => {
  const operation = fc.record({
    parent: fc.nat({ max: 3 }),
    variant: fc.nat({ max: 2 }),
    bytes: fc
      .uint8Array({ maxLength: 9 })
      .chain((tail) =>
        fc
          .constantFrom(0, 1, 40, 300)
          .map((length) => Uint8Array.from([...new Uint8Array(length).fill(7), ...tail])),
      ),
    offset: fc.nat({ max: 5 }),
    after: fc.nat({ max: 50 }),
  });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
      const known = new KnownBytes(1000, key);
      // Parents are ids themselves.
      const parents = [0, 1, 2].map((n) => idOf(known, 0, 60, Uint8Array.of(n), 0, 0));
      const ids = new Map<string, number>();
      for (const { parent, variant, bytes, offset, after } of operations) {
        const under = [0, ...parents][parent]!;
        const id = idOf(known, under, variant, bytes, offset, Math.min(after, known.size));
        const name = `${under} ${variant} ${Buffer.from(bytes).toString('hex')}`;
        t.is(ids.get(name) ?? id, id);
        ids.set(name, id);
      }
      t.is(new Set(ids.values()).size, ids.size);
      t.is(known.size, ids.size + 3);
    }),
    { numRuns: 60, seed: 6 },
  );
});

function idOf(
  known: KnownBytes,
  parent: number,
  variant: number,
  bytes: Uint8Array,
  offset: number,
  after: number,
): number {
  const view = new DataView(new ArrayBuffer(offset + bytes.length + 2));
  new Uint8Array(view.buffer).set(bytes, offset);
  return known.idOf(parent, variant, view, offset, offset + bytes.length, after);
}

test('many strings are found again, and keep what was kept of them; what is too long is not kept', (t) => {
  const known = new KnownBytes(100_000, key);
  const bytes = (n: number) =>
    Buffer.from(`series ${n} of many, with a text long enough to fill chunks: ${'x'.repeat(n % 200)}`);
  const parent = idOf(known, 0, 0, Uint8Array.of(1), 0, 0);
  const ids = Array.from({ length: 20_000 }, (_, n) => idOf(known, parent, 0, bytes(n), 0, 0));
  for (const [n, id] of ids.entries()) known.keep(id, n * 1e10, n + 1);
  t.is(new Set(ids).size, ids.length);
  for (const [n, id] of ids.entries()) {
    if (idOf(known, parent, 0, bytes(n), 3, ids[n - 1] ?? 0) !== id) t.fail(`${n}`);
    if (known.handleOf(id) !== n * 1e10 || known.stampOf(id) !== n + 1) t.fail(`kept of ${n}`);
  }
  t.not(idOf(known, parent, 0, new Uint8Array(maxKnownBytes), 0, 0), 0);
  t.is(idOf(known, parent, 0, new Uint8Array(maxKnownBytes + 1), 0, 0), 0);
  t.false(known.isFull);
  known.clear();
  t.is(known.size, 0);
  t.is(idOf(known, 0, 0, bytes(5), 0, 0), 1);
});
