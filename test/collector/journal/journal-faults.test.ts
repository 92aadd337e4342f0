import test, { type ExecutionContext } from 'ava';
import type { JournalOptions } from '../../../collector/journal/journal-options.ts';
import { Recovery } from '../../../collector/journal/recovery.ts';
import { until } from '../../agent/until.ts';
import { failure, MemoryStorage, type StorageCall } from './memory-storage.ts';
import { recordedLog } from './recorded-log.ts';
import { reopen } from './reopened.ts';

const record = (number: number, bytes = 100): Buffer => Buffer.from(`${number}:`.padEnd(bytes, 'x'));

/** Opens what is left and says which records are in it. */
async function numbers(storage: MemoryStorage): Promise<number[]> {
  const { records, report } = await reopen(storage);
  if (report.losesAcknowledged) throw new Error(JSON.stringify(report.damages));
  return records.map(({ text }) => Number.parseInt(text, 10));
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

test('a full disk: records are accepted, nothing is committed, the state says why; when space returns all are there once', async (t) => {
  const storage = new MemoryStorage();
  const log = recordedLog();
  const { state } = await reopen(storage, { segmentBytes: 4096 }, log);
  const { journal } = state;
  let number = 0;
  for (; number < 10; number++) journal.append(1, record(number));
  await journal.committed(journal.position);
  const held = journal.position;
  // Room for a part of the next commit: it is torn on the disk.
  storage.capacity = [...storage.files().values()].reduce((sum, { length }) => sum + length, 0) + 150;
  for (; number < 100; number++) journal.append(1, record(number));
  await until('it fails', () => journal.status.state === 'failing');
  await until('it was tried again', () => journal.status.commitErrors > 2);
  t.is(journal.committedPosition, held);
  t.is(
    journal.status.error!.message,
    'cannot write the journal in the data directory /memory: the disk is full: make space',
  );
  t.true(journal.status.error!.retryable);
  t.true(journal.status.failingSinceMs! <= Date.now());
  for (; number < 120; number++) journal.append(1, record(number));
  // Whoever is killed now loses only what was never acknowledged.
  t.deepEqual(await numbers(MemoryStorage.of(storage.files())), upTo(10));

  storage.capacity = Number.POSITIVE_INFINITY;
  await journal.committed(journal.position);
  t.is(journal.status.state, 'open');
  t.is(journal.status.error, undefined);
  t.deepEqual(
    log.entries.map(({ level, message }) => [level, message]),
    [
      ['error', 'the journal cannot be written: nothing is committed until it can'],
      ['info', 'the journal is written again, without a loss'],
    ],
  );
  t.is((await state.close()).uncommittedBytes, 0);
  t.deepEqual(await numbers(storage), upTo(120));
});

const survives = test.macro({
  async exec(t: ExecutionContext, call: StorageCall, code: string, options: JournalOptions = {}) {
    const storage = new MemoryStorage();
    const { state } = await reopen(storage, { segmentBytes: 1024, ...options }, recordedLog());
    const { journal } = state;
    let number = 0;
    for (let round = 0; round < 12; round++) {
      let left = round % 4;
      let failed = 0;
      storage.fault = (which) => {
        if (which !== call || left === 0) return undefined;
        left--;
        failed++;
        throw failure(code);
      };
      for (let i = 0; i < 7; i++) journal.append(1, record(number++));
      await journal.committed(journal.position);
      await until('the fault came', () => left === 0 || failed === 0);
      storage.fault = undefined;
      // What is committed outlives the process, and with `always` the power.
      const copy = MemoryStorage.of(storage.files());
      t.deepEqual(await numbers(copy), upTo(number));
    }
    t.is((await state.close()).uncommittedBytes, 0);
    t.deepEqual(await numbers(storage), upTo(number));
    t.deepEqual((await reopen(storage)).report.damages, []);
  },
  title: (_, call: StorageCall, code: string) => `${code} at ${call}: every record is there once`,
});

test(survives, 'write', 'EIO');
test(survives, 'write', 'ENOSPC');
test(survives, 'sync', 'EIO');
test(survives, 'open', 'EROFS');
test(survives, 'rename', 'EIO');
test(survives, 'syncDirectory', 'EIO');

test('after a failed sync, what it should have covered is written again before the next one counts', async (t) => {
  const storage = new MemoryStorage();
  const { state } = await reopen(storage, {}, recordedLog());
  const { journal } = state;
  await journal.committed(journal.append(1, record(0)));
  let fails = true;
  storage.fault = (call) => {
    if (call !== 'sync' || !fails) return undefined;
    fails = false;
    throw failure('EIO');
  };
  storage.calls.length = 0;
  await journal.committed(journal.append(1, record(1)));
  const calls = storage.calls.filter((call) => /^(write|sync) segment/.test(call));
  // Into another segment, with its header: what the system kept of the first one is not relied upon.
  t.deepEqual(
    calls.map((call) => call.replace(/ .*(-[0-9a-f]+)/, ' $1')),
    [
      'write -00000000000000',
      'sync -00000000000000',
      'write -00000000000066.tmp',
      'sync -00000000000066.tmp',
      'write -00000000000066',
      'sync -00000000000066',
    ],
  );
  t.deepEqual(await numbers(storage.cutPower(() => 0)), [0, 1]);
});

test('writes that take only a part are gone on with', async (t) => {
  const storage = new MemoryStorage();
  const { state } = await reopen(storage, { segmentBytes: 2048 });
  storage.fault = (call) => (call === 'write' ? 37 : undefined);
  for (let number = 0; number < 50; number++) state.journal.append(1, record(number));
  await state.close();
  storage.fault = undefined;
  t.deepEqual(await numbers(storage), upTo(50));
});

test('policy interval: a sync that fails is told, commits go on, and it is told when one succeeds', async (t) => {
  const storage = new MemoryStorage();
  const log = recordedLog();
  const { state } = await reopen(storage, { sync: { mode: 'interval', intervalMs: 1 } }, log);
  const { journal } = state;
  await journal.committed(journal.append(1, record(0)));
  storage.fault = (call, name) => {
    if (call === 'sync' && !name.endsWith('.tmp')) throw failure('EIO');
    return undefined;
  };
  await journal.committed(journal.append(1, record(1)));
  await until('it is told', () => journal.status.state === 'failing');
  await journal.committed(journal.append(1, record(2)));
  t.is(journal.status.state, 'failing');
  t.regex(journal.status.error!.message, /the disk fails/);
  storage.fault = undefined;
  await until('it is synced', () => journal.status.state === 'open');
  t.deepEqual(
    log.entries.map(({ level }) => level),
    ['error', 'info'],
  );
  t.regex(log.entries[1]!.message, /may not have reached the disk/);
  t.deepEqual(await numbers(storage.cutPower(() => 0)), upTo(3));
});

test('too much that is not written is refused, and whoever can wait is told when to go on', async (t) => {
  const storage = new MemoryStorage();
  const { state } = await reopen(storage, { maxPendingBytes: 10_000 }, recordedLog());
  const { journal } = state;
  storage.capacity = 0;
  let number = 0;
  const error = t.throws(() => {
    for (;;) {
      journal.append(1, record(number));
      number++;
    }
  }) as Error & { kind: string; retryable: boolean; retryDelayMs: number };
  t.is(error.kind, 'overloaded');
  t.true(error.retryable);
  t.regex(error.message, /^\d+ bytes wait to be written to \/memory, and at most 10000 may/);
  t.true(journal.isCongested);
  t.is(journal.status.refusedRecords, 1);
  t.true(journal.status.pendingBytes <= 10_000);
  t.true(number > 80);
  let drained = false;
  const waiting = journal.drained().then(() => {
    drained = true;
  });
  await until('it fails', () => journal.status.state === 'failing');
  t.false(drained);
  storage.capacity = Number.POSITIVE_INFINITY;
  await waiting;
  t.false(journal.isCongested);
  journal.append(1, record(number++));
  await state.close();
  t.deepEqual(await numbers(storage), upTo(number));
});

test('one record may be larger than all that may be pending, and than a segment', async (t) => {
  const storage = new MemoryStorage();
  const { state } = await reopen(storage, { maxPendingBytes: 1000, segmentBytes: 512 });
  await state.journal.committed(state.journal.append(1, record(0, 5000)));
  await state.journal.committed(state.journal.append(1, record(1, 3)));
  await state.close();
  t.deepEqual(await numbers(storage), [0, 1]);
});

test('closing while the disk is full gives up at its deadline and says what is not committed', async (t) => {
  const storage = new MemoryStorage();
  const { state } = await reopen(storage, {}, recordedLog());
  const { journal } = state;
  await journal.committed(journal.append(1, record(0)));
  storage.capacity = 0;
  const position = journal.append(1, record(1));
  let called = false;
  journal.whenCommitted(position, () => {
    called = true;
  });
  const { uncommittedBytes, error } = await state.close(200);
  t.is(uncommittedBytes, 102);
  t.regex(error!.message, /the disk is full/);
  t.false(called);
  t.is(journal.status.state, 'closed');
  const thrown = t.throws(() => journal.append(1, record(2))) as Error & { kind: string };
  t.is(thrown.kind, 'cancelled');
  t.deepEqual(await state.close(), { uncommittedBytes, error, isStuck: false });
  storage.capacity = Number.POSITIVE_INFINITY;
  t.deepEqual(await numbers(storage), [0]);
});

test('closing while a call to the disk does not come back ends at its deadline and keeps the directory', async (t) => {
  const storage = new MemoryStorage();
  const log = recordedLog();
  let released = false;
  const recovery = await Recovery.start(storage, {
    log,
    onClose: async () => {
      released = true;
    },
  });
  const { state } = await recovery.begin();
  await state.journal.committed(state.journal.append(1, record(0)));
  storage.kill();
  state.journal.append(1, record(1));
  const [first, second] = await Promise.all([state.close(50), state.close()]);
  t.deepEqual(first, { uncommittedBytes: 102, isStuck: true, error: undefined });
  t.deepEqual(second, first);
  t.false(released);
});

test('what waits for a commit may throw, wait again and come in any order', async (t) => {
  const storage = new MemoryStorage();
  const log = recordedLog();
  const { state } = await reopen(storage, {}, log);
  const { journal } = state;
  const positions = [0, 1, 2].map((number) => journal.append(1, record(number)));
  const called: number[] = [];
  for (const index of [2, 0, 1])
    journal.whenCommitted(positions[index]!, () => {
      called.push(index);
      if (index === 0) throw new Error('made by the test');
      if (index === 1) journal.whenCommitted(journal.append(1, record(3)), () => called.push(3));
    });
  await until('all are called', () => called.length === 4);
  t.deepEqual(called, [0, 1, 2, 3]);
  t.is(log.entries.length, 1);
  let atOnce = false;
  journal.whenCommitted(positions[0]!, () => {
    atOnce = true;
  });
  t.true(atOnce);
  await state.close();
});

test('one commit takes all that came in a turn of the event loop, the next one all that came meanwhile', async (t) => {
  const storage = new MemoryStorage();
  const commits: number[] = [];
  const { state } = await reopen(storage, { onCommit: ({ records }) => commits.push(records) });
  const { journal } = state;
  for (let number = 0; number < 5; number++) journal.append(1, record(number));
  await until('it writes', () => storage.calls.some((call) => /^write segment-\w+$/.test(call)));
  for (let number = 5; number < 9; number++) journal.append(1, record(number));
  await journal.committed(journal.position);
  t.deepEqual(commits, [5, 4]);
  t.is(journal.status.commits, 2);
  await state.close();
});
