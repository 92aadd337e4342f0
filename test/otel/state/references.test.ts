import test from 'ava';
import fc from 'fast-check';
import { attributes } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import { emptyScope } from '../../../otel/model/scope.ts';
import { Definitions } from '../../../otel/state/definitions.ts';
import { Epochs } from '../../../otel/state/epochs.ts';
import { InternedResources } from '../../../otel/state/interned-resources.ts';

const steps = fc.array(fc.record({ name: fc.nat(4), isRelease: fc.boolean() }), { maxLength: 60 });

interface Interned {
  acquire(name: number): number;
  release(number: number): void;
  readonly size: number;
}

const makers: Record<string, () => Interned> = {
  definitions() {
    const definitions = new Definitions();
    const acquire = (name: number) =>
      definitions.acquire(
        emptyScope,
        metric({ name: `m${name % 2}`, kind: 'sum' }),
        attributes({ name: BigInt(name) }),
      ).number;
    return {
      acquire,
      release: (number) => definitions.release(number),
      get size() {
        return definitions.size;
      },
    };
  },
  epochs() {
    const epochs = new Epochs();
    return {
      acquire: (name) => epochs.acquire(`e${name}`),
      release: (number) => epochs.release(number),
      get size() {
        return epochs.size;
      },
    };
  },
  resources() {
    const resources = new InternedResources();
    return {
      acquire: (name) =>
        resources.acquire({ attributes: attributes({ name: BigInt(name) }), schemaUrl: '' }).number,
      release: (number) => resources.release(number),
      get size() {
        return resources.size;
      },
    };
  },
};

for (const [what, make] of Object.entries(makers))
  test(`${what}: equal ones share a number while one is held, different ones never do, and none is left in the end`, (t) => {
    t.notThrows(() =>
      fc.assert(
        fc.property(steps, (list) => {
          const interned = make();
          /** By name: the number, and how often it is held. */
          const model = new Map<number, { number: number; holders: number }>();
          for (const { name, isRelease } of list) {
            const held = model.get(name);
            if (!isRelease) {
              const number = interned.acquire(name);
              if (held !== undefined && held.number !== number) throw new Error('another number');
              for (const [other, { number: taken }] of model)
                if (other !== name && taken === number) throw new Error('a number that is in use');
              model.set(name, { number, holders: (held?.holders ?? 0) + 1 });
            } else if (held !== undefined) {
              interned.release(held.number);
              if (--held.holders === 0) model.delete(name);
            }
            if (interned.size !== model.size) throw new Error(`${interned.size} are held for ${model.size}`);
          }
          for (const { number, holders } of model.values())
            for (let i = 0; i < holders; i++) interned.release(number);
          if (interned.size !== 0) throw new Error(`${interned.size} are left`);
        }),
        { numRuns: 200 },
      ),
    );
  });

test('no epoch has number 0 and no holders', (t) => {
  const epochs = new Epochs();
  t.is(epochs.acquire(''), 0);
  epochs.release(0);
  epochs.release(0);
  t.is(epochs.size, 0);
  t.is(epochs.acquire(''), 0);
  t.not(epochs.acquire('e'), 0);
});

test('a definition holds what it was made with, and its metric is shared', (t) => {
  const definitions = new Definitions();
  const m = metric({ name: 'm', kind: 'gauge' });
  const one = definitions.acquire(emptyScope, m, attributes({ a: 1 }));
  const two = definitions.acquire(
    emptyScope,
    { ...m, description: 'of another agent' },
    attributes({ a: 2 }),
  );
  t.is(one.entry, two.entry);
  t.is(definitions.at(two.number), two);
  t.not(definitions.acquire(emptyScope, { ...m, unit: 's' }, attributes({ a: 1 })).entry, one.entry);
});
