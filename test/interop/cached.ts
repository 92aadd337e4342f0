import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

/** Where other people's software that the tests need is kept between runs. */
export const cacheFolder = path.join(
  process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'),
  'streamgauge',
);

/**
 * A folder with software that is made once and then found again.
 *
 * @param name the folder's name, with everything in it that the content depends on (a version, the hash of a manifest).
 * @param make fills the empty folder it is given. Runs in one process at a time; what it leaves is moved into place when it is
 *   done, so that a run that was interrupted leaves nothing half made.
 * @returns the folder's absolute path.
 */
export async function cached(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const folder = path.join(cacheFolder, name);
  if (existsSync(folder)) return folder;
  await mkdir(cacheFolder, { recursive: true });
  const unlock = await lock(path.join(cacheFolder, `${name}.lock`));
  try {
    if (existsSync(folder)) return folder;
    const unfinished = await mkdtemp(path.join(cacheFolder, `.${name}-`));
    try {
      await make(unfinished);
      await rename(unfinished, folder);
    } finally {
      await rm(unfinished, { recursive: true, force: true });
    }
    return folder;
  } finally {
    await unlock();
  }
}

/** Holds a file's lock in a child that ends when its input does: the lock dies with this process, however that ends. */
async function lock(file: string): Promise<() => Promise<void>> {
  const holder = spawn('flock', [file, 'sh', '-c', 'echo locked; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(holder, 'exit');
  const outcome = await Promise.race([
    once(holder.stdout, 'data').then(() => 'locked'),
    exited.then(([code]) => `flock ended with ${code}`),
  ]);
  if (outcome !== 'locked') throw new Error(`cannot lock ${file}: ${outcome}`);
  return async () => {
    holder.stdin.end();
    await exited;
  };
}
