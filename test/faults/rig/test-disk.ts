import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import { preloaded } from './preload.ts';

/** A directory whose disk fails when it is told to. */
export interface TestDisk {
  /** For the data directory. */
  readonly directory: string;
  /** Of the collector's process. */
  readonly env: Readonly<Record<string, string>>;
  fail(): void;
  heal(): void;
}

/** A disk that fails in the way that preload/disk-faults.ts calls so. */
export function injectedDisk(t: ExecutionContext, how: string): TestDisk {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'streamgauge-faults-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const control = path.join(folder, 'mode');
  const directory = path.join(folder, 'data');
  mkdirSync(directory);
  const set = (mode: string): void => writeFileSync(control, mode);
  set('ok');
  return {
    directory,
    env: {
      ...preloaded('disk-faults', 'often-checkpoints'),
      STREAMGAUGE_TEST_DISK: control,
      STREAMGAUGE_TEST_DISK_UNDER: directory,
    },
    fail: () => set(how),
    heal: () => set('ok'),
  };
}

/** A file system in memory of some megabytes that gets full; `undefined` where this user may not mount one. */
export function smallDisk(t: ExecutionContext): TestDisk | undefined {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'streamgauge-faults-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  t.teardown(() => void execFileSync('umount', ['-l', folder]));
  const ballast = path.join(folder, 'ballast');
  return {
    directory: path.join(folder, 'data'),
    env: preloaded('often-checkpoints'),
    fail() {
      for (let bytes = 2 ** 20; bytes >= 4096; ) {
        try {
          writeFileSync(ballast, Buffer.alloc(bytes), { flag: 'a' });
        } catch {
          bytes /= 2;
        }
      }
    },
    heal: () => rmSync(ballast, { force: true }),
  };
}
