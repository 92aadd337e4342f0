import { StreamgaugeError } from '../../proto/error.ts';

const wayOut = 'choose another directory with --data-dir, or keep no state with --memory';

/** What the operating system's refusals mean here, and what to do about them. */
const meanings: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: make space',
  EDQUOT: "the user's quota on the disk is used up: make space, or raise it",
  EROFS: `the file system is read-only: mount it for writing, ${wayOut}`,
  EACCES: `this user may not write there: change its owner or mode, ${wayOut}`,
  EPERM: `this user may not write there: change its owner or mode, ${wayOut}`,
  ENOTDIR: `a part of the path is not a directory: ${wayOut}`,
  EEXIST: `there is something else than a directory: ${wayOut}`,
  EIO: 'the disk fails: look at the kernel log, and move the directory to another disk',
  EMFILE: 'too many files are open: raise the limit (ulimit -n)',
  ENFILE: 'too many files are open on this machine',
};

/** The platform's error in a sentence: what could not be done in which directory, why, and the way out. */
export function storageError(directory: string, what: string, thrown: unknown): StreamgaugeError {
  if (thrown instanceof StreamgaugeError) return thrown;
  const { code = '', message } = thrown as NodeJS.ErrnoException;
  return new StreamgaugeError(
    'unavailable',
    `cannot ${what} in the data directory ${directory}: ${meanings[code] ?? message}`,
    { cause: thrown },
  );
}
