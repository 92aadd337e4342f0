import test from 'ava';
import fc from 'fast-check';
import type { SyncPolicy } from '../../../collector/journal/sync-policy.ts';
import { MemoryStorage } from './memory-storage.ts';
import { type Reopened, reopen } from './reopened.ts';

/** All that can happen to a journal. The model is a plain array of what was appended. */
type Step =
  | { do: 'append'; count: number; bytes: number }
  | { do: 'commit' }
  | { do: 'turns'; count: number }
  | { do: 'checkpoint'; back: number }
  | { do: 'close' }
  | { do: 'crash'; seed: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      count: fc.integer({ min: 1, max: 6 }),
      bytes: fc.oneof(fc.integer({ min: 0, max: 200 }), fc.constantFrom(126, 127, 128, 3000)),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ do: 'commit' as const }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('turns' as const), count: fc.integer({ min: 1, max: 12 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('checkpoint' as const), back: fc.integer({ min: 0, max: 3 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'close' as const }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('crash' as const), seed: fc.integer() }) },
);

interface Appended {
  readonly text: string;
  readonly position: number;
}

class Modelled {
  readonly #sync: SyncPolicy;
  readonly #cutsPower: boolean;
  #storage = new MemoryStorage();
  #opened!: Reopened;
  #appended: Appended[] = [];
  #number = 0;

  constructor(sync: SyncPolicy, cutsPower: boolean) {
    this.#sync = sync;
    this.#cutsPower = cutsPower;
  }

  async open(): Promise<void> {
    this.#opened = await reopen(this.#storage, { segmentBytes: 1024, sync: this.#sync });
    const { chunks, records, report, state } = this.#opened;
    // A checkpoint's chunks are the records up to its position.
    const read = [...chunks.map((chunk) => chunk.split(' ')[2]!), ...records.map(({ text }) => text)];
    const expected = this.#appended.map(({ text }) => text);
    same(read, expected.slice(0, read.length), 'what is read is a prefix of what was appended');
    // Without a sync, a power cut may take what was committed, and leave later files that nothing continues.
    const mayLose = this.#cutsPower && this.#sync.mode !== 'always';
    if (!mayLose && this.#committed > read.length)
      throw new Error(`${this.#committed} were committed, ${read.length} read`);
    if (!mayLose && (report.losesAcknowledged || report.damages.some(({ kind }) => kind !== 'torn')))
      throw new Error(`damage: ${JSON.stringify(report.damages)}`);
    this.#appended = this.#appended.slice(0, read.length);
    const end = this.#appended.at(-1)?.position ?? 0;
    same(state.journal.position, end, 'the journal goes on behind the last record');
    same(records.at(-1)?.position ?? end, end, 'positions are those that were given');
    this.#committed = read.length;
  }

  #committed = 0;

  async run(what: Step): Promise<void> {
    const { state } = this.#opened;
    const { journal } = state;
    switch (what.do) {
      case 'append':
        for (let i = 0; i < what.count; i++) {
          const text = `${this.#number++}:`.padEnd(what.bytes, 'x');
          const position = journal.append(this.#number % 256, Buffer.from(text));
          this.#appended.push({ text, position });
          const index = this.#appended.length;
          journal.whenCommitted(position, () => {
            if (this.#opened.state === state) this.#committed = Math.max(this.#committed, index);
          });
        }
        return;
      case 'commit':
        await journal.committed(journal.position);
        same(journal.status.pendingBytes, 0, 'nothing is pending');
        return;
      case 'turns':
        for (let i = 0; i < what.count; i++) await new Promise(setImmediate);
        return;
      case 'checkpoint': {
        const held = this.#appended.slice(0, Math.max(0, this.#appended.length - what.back));
        const position = held.at(-1)?.position ?? 0;
        // A checkpoint never goes back behind the one that was read.
        if (position < (this.#opened.report.checkpoint?.position ?? 0)) return;
        await state.writeCheckpoint(
          position,
          held.map(({ text }, key) => ({ type: 1, key, bytes: Buffer.from(text) })),
        );
        return;
      }
      case 'close': {
        const { uncommittedBytes } = await state.close();
        same(uncommittedBytes, 0, 'all is committed at the end');
        this.#committed = this.#appended.length;
        return this.open();
      }
      case 'crash': {
        const random = generator(what.seed);
        this.#storage = this.#cutsPower ? this.#storage.cutPower(random) : this.#storage.kill();
        return this.open();
      }
    }
  }
}

function same(found: unknown, expected: unknown, what: string): void {
  if (JSON.stringify(found) !== JSON.stringify(expected))
    throw new Error(`${what}: found ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`);
}

function generator(seed: number): () => number {
  return () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
}

const holds = test.macro({
  async exec(t, sync: SyncPolicy, cutsPower: boolean, numRuns: number) {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        const modelled = new Modelled(sync, cutsPower);
        await modelled.open();
        for (const each of steps) await modelled.run(each);
        await modelled.run({ do: 'crash', seed: 1 });
      }),
      { numRuns },
    );
    t.pass();
  },
  title: (_, sync: SyncPolicy, cutsPower: boolean) =>
    `sync ${sync.mode}: whatever is appended, committed and cut off by ${cutsPower ? 'a power cut' : 'a kill'}, a prefix${cutsPower && sync.mode !== 'always' ? '' : ' with all that was committed'} is read`,
});

test(holds, { mode: 'always' }, true, 300);
test(holds, { mode: 'always' }, false, 100);
test(holds, { mode: 'interval', intervalMs: 1 }, false, 100);
test(holds, { mode: 'never' }, false, 100);
test(holds, { mode: 'interval', intervalMs: 1 }, true, 100);
test(holds, { mode: 'never' }, true, 100);
