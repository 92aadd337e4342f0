import { setImmediate as nextTurn } from 'node:timers/promises';
import test from 'ava';
import fc from 'fast-check';
import type { CheckpointChunk } from '../../../collector/journal/checkpoint-format.ts';
import { until } from '../../agent/until.ts';
import { failure, MemoryStorage } from './memory-storage.ts';
import { recordedLog } from './recorded-log.ts';
import { reopen } from './reopened.ts';

const checkpoints = (storage: MemoryStorage): string[] =>
  [...storage.files().keys()].filter((name) => name.startsWith('checkpoint')).sort();
const segments = (storage: MemoryStorage): string[] =>
  [...storage.files().keys()].filter((name) => name.startsWith('segment')).sort();
const chunk = (key: number, text: string): CheckpointChunk => ({ type: 3, key, bytes: Buffer.from(text) });

test('chunks come back as they were, whatever their sizes', async (t) => {
  const size = fc.oneof(
    fc.integer({ min: 0, max: 300 }),
    fc.constantFrom(0, 1 << 20, (1 << 20) - 24, 1_500_000, 3_000_000),
  );
  const chunks = fc.array(
    fc.record({ type: fc.integer({ min: 0, max: 2 ** 32 - 1 }), key: fc.maxSafeNat(), bytes: size }),
    { maxLength: 12 },
  );
  await fc.assert(
    fc.asyncProperty(chunks, async (all) => {
      const storage = new MemoryStorage();
      const { state } = await reopen(storage);
      const made = all.map(({ type, key, bytes }, i) => ({ type, key, bytes: Buffer.alloc(bytes, i + 1) }));
      const figures = await state.writeCheckpoint(0, made);
      if (figures.bytes !== storage.files().get(figures.name)!.length) throw new Error('not that many bytes');
      await state.close();
      const { report, chunks: read } = await reopen(storage);
      if (report.checkpoint?.chunks !== all.length) throw new Error('not that many chunks');
      const expected = made.map(({ type, key, bytes }) => `${type} ${key} ${bytes.toString('latin1')}`);
      if (read.length !== expected.length || read.some((one, i) => one !== expected[i]))
        throw new Error('not the chunks that were written');
    }),
    { numRuns: 40 },
  );
  t.pass();
});

test('records go on being committed while a checkpoint is written; what it covers is removed, what is behind it is replayed', async (t) => {
  const storage = new MemoryStorage();
  const { state } = await reopen(storage, { segmentBytes: 512 });
  const { journal } = state;
  let number = 0;
  const append = () => journal.append(1, Buffer.from(`record ${number++} `.padEnd(100, '.')));
  for (let i = 0; i < 20; i++) await journal.committed(append());
  const position = journal.position;
  const before = segments(storage);
  t.true(before.length >= 5);
  const figures = await state.writeCheckpoint(
    position,
    (async function* () {
      for (let key = 0; key < 10; key++) {
        await journal.committed(append());
        yield chunk(key, `chunk ${key}`);
      }
    })(),
  );
  t.is(figures.chunks, 10);
  t.is(figures.position, position);
  t.deepEqual(checkpoints(storage), [figures.name]);
  // The one in which the position lies stays.
  t.deepEqual(
    segments(storage).filter((name) => before.includes(name)),
    before.slice(-1),
  );
  await state.close();
  const { chunks, records, report } = await reopen(storage);
  t.deepEqual(
    chunks,
    Array.from({ length: 10 }, (_, key) => `3 ${key} chunk ${key}`),
  );
  t.deepEqual(
    records.map(({ text }) => Number(text.split(' ')[1])),
    Array.from({ length: 10 }, (_, i) => 20 + i),
  );
  t.deepEqual(report.damages, []);
});

test('a chunk may be used again as soon as the next one is asked for', async (t) => {
  const storage = new MemoryStorage();
  const { state } = await reopen(storage);
  const bytes = Buffer.alloc(1000);
  await state.writeCheckpoint(
    0,
    (function* () {
      for (let key = 1; key < 3000; key++) {
        bytes.fill(key);
        yield { type: 1, key, bytes };
      }
    })(),
  );
  const { chunks } = await reopen(storage);
  t.true(chunks.every((one, i) => one === `1 ${i + 1} ${Buffer.alloc(1000, i + 1).toString('latin1')}`));
});

test('the checkpoint before stays until the new one is safe', async (t) => {
  const storage = new MemoryStorage();
  const { state } = await reopen(storage);
  const first = await state.writeCheckpoint(0, [chunk(1, 'old')]);
  const position = state.journal.append(1, Buffer.from('record'));
  let isThere = true;
  storage.fault = (call, name) => {
    if (call === 'remove' && name === first.name) isThere = false;
    // Its name is on the disk, too, before the old one goes.
    if (call === 'syncDirectory' || call === 'rename' || call === 'sync') t.true(isThere, `${call} ${name}`);
    return undefined;
  };
  const second = await state.writeCheckpoint(position, [chunk(1, 'new')]);
  storage.fault = undefined;
  t.false(isThere);
  t.deepEqual(checkpoints(storage), [second.name]);
  t.deepEqual((await reopen(storage)).chunks, ['3 1 new']);
});

test('a checkpoint that cannot be written leaves the one before and no trace; the next one works', async (t) => {
  const storage = new MemoryStorage();
  const { state } = await reopen(storage, {}, recordedLog());
  const first = await state.writeCheckpoint(0, [chunk(1, 'old')]);
  const position = state.journal.append(1, Buffer.from('record'));
  await state.journal.committed(position);
  for (const [call, code] of [
    ['open', 'EROFS'],
    ['write', 'ENOSPC'],
    ['sync', 'EIO'],
    ['rename', 'EIO'],
  ] as const) {
    storage.fault = (which, name) => {
      if (which === call && name.startsWith('checkpoint')) throw failure(code);
      return undefined;
    };
    const error = await t.throwsAsync(state.writeCheckpoint(position, [chunk(1, 'new')]));
    t.regex(error.message, /^cannot write a checkpoint in the data directory \/memory: /);
    storage.fault = undefined;
    t.deepEqual(checkpoints(storage), [first.name], call);
  }
  const broken = (function* () {
    yield chunk(1, 'new');
    throw new RangeError('made by the test');
  })();
  await t.throwsAsync(state.writeCheckpoint(position, broken), { instanceOf: RangeError });
  await t.throwsAsync(state.writeCheckpoint(position, [chunk(-1, '')]), { message: /a key 53/ });
  t.deepEqual(checkpoints(storage), [first.name]);
  await state.writeCheckpoint(position, [chunk(1, 'new')]);
  t.deepEqual((await reopen(storage)).chunks, ['3 1 new']);
});

test('a checkpoint waits for the journal up to its position, and can be called off', async (t) => {
  const storage = new MemoryStorage();
  const { state } = await reopen(storage, {}, recordedLog());
  const blocks = (call: string, name: string) => {
    if (call === 'write' && name.startsWith('segment')) throw failure('ENOSPC');
    return undefined;
  };
  storage.fault = blocks;
  const position = state.journal.append(1, Buffer.from('record'));
  let ended = false;
  const calledOff = new AbortController();
  const writing = state.writeCheckpoint(position, [chunk(1, 'a')], calledOff.signal).finally(() => {
    ended = true;
  });
  await until('it is written but for its name', () =>
    checkpoints(storage).some((name) => name.endsWith('.tmp')),
  );
  await t.throwsAsync(state.writeCheckpoint(position, []), { message: /being written already/ });
  for (let i = 0; i < 20; i++) await nextTurn();
  t.false(ended);
  calledOff.abort();
  await t.throwsAsync(writing, { message: 'the checkpoint was called off' });
  t.deepEqual(checkpoints(storage), []);

  const second = state.writeCheckpoint(position, [chunk(1, 'b')]);
  for (let i = 0; i < 20; i++) await nextTurn();
  storage.fault = undefined;
  t.is((await second).position, position);

  storage.fault = blocks;
  const last = state.writeCheckpoint(state.journal.append(1, Buffer.from('record')), [chunk(1, 'c')]);
  const refused = t.throwsAsync(last, { message: 'the checkpoint was called off' });
  for (let i = 0; i < 20; i++) await nextTurn();
  storage.fault = undefined;
  await state.close();
  await refused;
  t.deepEqual((await reopen(storage)).chunks, ['3 1 b']);
});

test('the journal goes on behind a checkpoint even when it is shorter', async (t) => {
  const storage = new MemoryStorage();
  const { state } = await reopen(storage);
  const positions = ['a', 'b', 'c'].map((text) => state.journal.append(1, Buffer.from(text)));
  await state.writeCheckpoint(positions[2]!, [chunk(1, 'abc')]);
  // All of the journal is lost, which the checkpoint covers.
  const files = new Map([...storage.files()].filter(([name]) => !name.startsWith('segment')));
  const left = MemoryStorage.of(files);
  const second = await reopen(left);
  t.is(second.state.journal.position, positions[2]);
  t.false(second.report.losesAcknowledged);
  await second.state.journal.committed(second.state.journal.append(1, Buffer.from('d')));
  const third = await reopen(left.kill());
  t.deepEqual(
    [third.chunks, third.records.map(({ text }) => text), third.report.damages],
    [['3 1 abc'], ['d'], []],
  );
});
