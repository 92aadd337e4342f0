// Loaded before a collector whose disk is to fail: what the file STREAMGAUGE_TEST_DISK says happens to files under the directory
// STREAMGAUGE_TEST_DISK_UNDER, from at most 20 ms later on. It holds one of: `ok`; `full` (ENOSPC at each write); `read-only` (EROFS at each opening
// and write); `sync` (EIO at each sync, after which what was written is gone, as the kernel may have it); `slow MS` (each sync takes so long).
import fs from 'node:fs';
import path from 'node:path';

const control = process.env.STREAMGAUGE_TEST_DISK!;
const under = `${path.resolve(process.env.STREAMGAUGE_TEST_DISK_UNDER!)}${path.sep}`;
let mode = 'ok';
function look(): void {
  try {
    mode = fs.readFileSync(control, 'utf8').trim() || 'ok';
  } catch {
    mode = 'ok';
  }
}
look();
setInterval(look, 20).unref();

type Done = (error: NodeJS.ErrnoException | null, ...rest: never[]) => void;
/** Of files under the directory, with how many bytes of them are synced. */
const files = new Map<number, { syncedBytes: number }>();

function failure(code: string, call: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: injected, ${call}`), { code, syscall: call });
}

const { open, write, writev, fdatasync, fsync, close, ftruncateSync, fstatSync } = fs;

fs.open = ((file: string, flags: string, ...rest: unknown[]): void => {
  const done = rest.pop() as (error: NodeJS.ErrnoException | null, fd?: number) => void;
  const isOurs = path.resolve(file).startsWith(under);
  if (isOurs && mode === 'read-only' && flags !== 'r') {
    setImmediate(done, failure('EROFS', 'open'));
    return;
  }
  (open as (...args: unknown[]) => void)(
    file,
    flags,
    ...rest,
    (error: NodeJS.ErrnoException | null, fd: number) => {
      if (error === null && isOurs && flags !== 'r') files.set(fd, { syncedBytes: fstatSync(fd).size });
      done(error, fd);
    },
  );
}) as typeof fs.open;

function failing<F extends (...args: never[]) => void>(original: F, call: string): F {
  return ((fd: number, ...rest: unknown[]): void => {
    const code = mode === 'full' ? 'ENOSPC' : mode === 'read-only' ? 'EROFS' : undefined;
    if (code !== undefined && files.has(fd)) setImmediate(rest.at(-1) as Done, failure(code, call));
    else (original as unknown as (...args: unknown[]) => void)(fd, ...rest);
  }) as unknown as F;
}
fs.write = failing(write, 'write') as typeof fs.write;
fs.writev = failing(writev, 'writev') as typeof fs.writev;

function syncing(original: typeof fs.fsync, call: string): typeof fs.fsync {
  return ((fd: number, done: Done): void => {
    const file = files.get(fd);
    if (file === undefined) {
      original(fd, done);
    } else if (mode === 'sync') {
      // Linux drops the pages that it could not write, and says so once.
      ftruncateSync(fd, file.syncedBytes);
      setImmediate(done, failure('EIO', call));
    } else {
      const [, ms] = /^slow (\d+)$/.exec(mode) ?? [];
      setTimeout(
        () => {
          file.syncedBytes = fstatSync(fd).size;
          original(fd, done);
        },
        Number(ms ?? 0),
      );
    }
  }) as typeof fs.fsync;
}
fs.fdatasync = syncing(fdatasync, 'fdatasync');
fs.fsync = syncing(fsync, 'fsync');
fs.close = ((fd: number, done: Done): void => {
  files.delete(fd);
  close(fd, done);
}) as typeof fs.close;
