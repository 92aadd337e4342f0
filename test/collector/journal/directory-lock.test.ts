import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { directoryHolder, lockDirectory } from '../../../collector/journal/directory-lock.ts';
import { silentLog } from '../../../collector/journal/journal-log.ts';
import { openDataDirectory } from '../../../collector/journal/open-data-directory.ts';
import { Child } from '../../process/child.ts';

const holder = path.join(import.meta.dirname, 'fixtures', 'holder.ts');

function folder(t: ExecutionContext): string {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), 'streamgauge-'));
  t.teardown(() => fs.rmSync(made, { recursive: true }));
  return made;
}

const locks = (directory: string): string[] =>
  fs.readdirSync(directory).filter((name) => /^(lock|claim)\./.test(name));

test('a second process gets one sentence that says who holds the directory; a killed one holds it no more', async (t) => {
  const directory = path.join(folder(t), 'data');
  const first = new Child(process.execPath, [holder, directory]);
  t.teardown(() => first.kill());
  await first.waitForOutput(/^held$/m);
  t.is(fs.statSync(directory).mode & 0o777, 0o700);
  const second = new Child(process.execPath, [holder, directory]);
  await second.wait();
  const since = /since (\S+):/.exec(second.output)?.[1];
  t.is(
    second.output,
    `not held: the data directory ${directory} is held by process ${first.pid} on ${os.hostname()}, since ${since}: stop that one, choose another directory with --data-dir, or keep no state with --memory\n`,
  );
  t.is(((await directoryHolder(directory)) as { pid: number }).pid, first.pid);
  await first.kill();
  t.is(await directoryHolder(directory), undefined);
  const recovery = await openDataDirectory(directory, silentLog);
  t.is(locks(directory).length, 1, 'the dead one is gone');
  await t.throwsAsync(openDataDirectory(directory, silentLog), {
    message: new RegExp(`held by process ${process.pid} `),
  });
  await recovery.abandon();
  t.deepEqual(locks(directory), []);
});

test('a process that is stopped still holds it', async (t) => {
  const directory = folder(t);
  const child = new Child(process.execPath, [holder, directory]);
  t.teardown(() => child.kill());
  await child.waitForOutput(/^held$/m);
  process.kill(child.pid, 'SIGSTOP');
  await t.throwsAsync(lockDirectory(directory), {
    message: /is held by another process, which does not say which: stop/,
  });
});

test('of many that want it at once at most one has it, and soon one does', async (t) => {
  const directory = folder(t);
  for (let round = 0; round < 3; round++) {
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => lockDirectory(directory)));
    const got = outcomes.filter((outcome) => outcome.status === 'fulfilled');
    t.true(got.length <= 1);
    for (const { value } of got) await value.release();
  }
  const lock = await lockDirectory(directory);
  await lock.release();
  await lock.release();
  t.deepEqual(locks(directory), []);
});

test('a directory whose path is longer than an address of a socket', async (t) => {
  const directory = path.join(folder(t), 'x'.repeat(120), 'y'.repeat(120));
  const recovery = await openDataDirectory(directory, silentLog);
  t.is(((await directoryHolder(directory)) as { pid: number }).pid, process.pid);
  await recovery.abandon();
});

test('other files named like a lock are left alone', async (t) => {
  const directory = folder(t);
  const name = path.join(directory, 'lock.1.0123456789abcdef');
  fs.writeFileSync(name, 'mine');
  const lock = await lockDirectory(directory);
  t.is(fs.readFileSync(name, 'utf8'), 'mine');
  await lock.release();
  t.is(await directoryHolder(directory), undefined);
});

(process.platform === 'linux' ? test : test.skip)(
  'where a file system has no sockets, an address of the machine is the lock',
  async (t) => {
    const directory = folder(t);
    const lock = await lockDirectory(directory, false);
    t.deepEqual(fs.readdirSync(directory), []);
    const holder = (await directoryHolder(directory)) as { pid: number };
    t.is(holder.pid, process.pid);
    await t.throwsAsync(lockDirectory(directory, false), {
      message: new RegExp(`held by process ${process.pid} `),
    });
    const other = await lockDirectory(folder(t), false);
    await other.release();
    await lock.release();
    t.is(await directoryHolder(directory), undefined);
    await (await lockDirectory(directory, false)).release();
  },
);

test('a holder that talks nonsense is a holder', async (t) => {
  const directory = folder(t);
  const server = net.createServer((socket) =>
    socket.end('{"pid":1,"host":"x","holds":true,"sinceMs":1e300}'),
  );
  await new Promise<void>((resolve) =>
    server.listen(path.join(directory, 'lock.1.0123456789abcdef'), resolve),
  );
  t.teardown(() => server.close());
  t.is(await directoryHolder(directory), 'unknown');
  await t.throwsAsync(lockDirectory(directory), { message: /is held by another process/ });
});

test('what is no directory, or cannot be written to, is said in one sentence', async (t) => {
  const file = path.join(folder(t), 'file');
  fs.writeFileSync(file, '');
  for (const place of [file, path.join(file, 'data')])
    await t.throwsAsync(openDataDirectory(place, silentLog), {
      message: new RegExp(
        `^cannot begin in the data directory ${place}: .*--data-dir, or keep no state with --memory$`,
      ),
    });
});
