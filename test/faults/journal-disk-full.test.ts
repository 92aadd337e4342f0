import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { silentLog } from '../../collector/journal/journal-log.ts';
import { openDataDirectory } from '../../collector/journal/open-data-directory.ts';
import { until } from '../agent/until.ts';

/** A file system in memory of one megabyte; `undefined` where this user may not mount one. */
function smallDisk(): string | undefined {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'streamgauge-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'ignore' });
    return folder;
  } catch {
    rmSync(folder, { recursive: true });
    return undefined;
  }
}

const disk = smallDisk();
test.after.always(() => {
  if (disk === undefined) return;
  execFileSync('umount', ['-l', disk]);
  rmSync(disk, { recursive: true });
});

(disk === undefined ? test.skip : test)(
  'a disk that is really full: nothing is lost, and all is well when space returns',
  async (t) => {
    t.timeout(60_000);
    const directory = path.join(disk!, 'data');
    const ballast = path.join(disk!, 'ballast');
    const { state } = await (await openDataDirectory(directory, silentLog)).begin({ segmentBytes: 65_536 });
    const { journal } = state;
    writeFileSync(ballast, Buffer.alloc(700_000));
    let count = 0;
    // What is pending shall fit in when there is space again.
    while (journal.status.state === 'open' && count < 20_000) {
      if (journal.status.pendingBytes < 50_000) journal.append(1, Buffer.from(`${count++}`.padEnd(200)));
      else await new Promise(setImmediate);
    }
    t.is(journal.status.state, 'failing');
    t.regex(journal.status.error!.message, /the disk is full: make space$/);
    await t.throwsAsync(state.writeCheckpoint(0, [{ type: 1, key: 1, bytes: Buffer.alloc(300_000) }]), {
      message: /^cannot write a checkpoint .* the disk is full: make space$/,
    });
    for (let i = 0; i < 100; i++) journal.append(1, Buffer.from(`${count++}`.padEnd(200)));
    rmSync(ballast);
    await until('it is written again', () => journal.status.state === 'open');
    await journal.committed(journal.position);
    await state.close();
    const recovery = await openDataDirectory(directory, silentLog);
    let read = 0;
    for await (const { bytes } of recovery.records()) t.is(Number(bytes.toString()), read++);
    t.is(read, count);
    const { report, state: next } = await recovery.begin();
    t.deepEqual(report.damages, []);
    await next.close();
  },
);
