import test from 'ava';
import fc from 'fast-check';
import { DeltaBases } from '../../../collector/outputs/delta-bases.ts';
import type { ReaderCursor } from '../../../collector/outputs/reader-cursor.ts';

const cursor: ReaderCursor = {
  index: 0,
  temporality: 'delta',
  collectedUs: 0,
  collectedAtUs: 0,
  deliveredUs: 0,
  collections: 0,
};

test('a basis goes with its point, however points come and go between collections', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 }),
        fc.array(
          fc.oneof(
            fc.record({ do: fc.constant('add' as const), points: fc.integer({ min: 1, max: 9 }) }),
            fc.record({ do: fc.constant('remove' as const), at: fc.nat(50) }),
            fc.record({ do: fc.constant('collect' as const) }),
          ),
          { maxLength: 40 },
        ),
        (width, steps) => {
          const bases = new DeltaBases(width);
          // Each point is an object with the basis it should have.
          const points: { basis: number }[] = [];
          let next = 0;
          for (const step of steps) {
            if (step.do === 'add') for (let i = 0; i < step.points; i++) points.push({ basis: 0 });
            else if (step.do === 'remove') {
              if (points.length === 0) continue;
              const at = step.at % points.length;
              const last = points.length - 1;
              points[at] = points[last];
              points.length = last;
              bases.move(last, at);
            } else {
              const column = bases.of(cursor, points.length);
              points.forEach((point, i) => {
                for (let w = 0; w < width; w++) {
                  if (column[i * width + w] !== point.basis)
                    throw new Error(`point ${i} has ${column[i * width + w]} for ${point.basis}`);
                  column[i * width + w] = next + 1;
                }
                point.basis = ++next;
              });
            }
          }
        },
      ),
      { numRuns: 500 },
    ),
  );
});
