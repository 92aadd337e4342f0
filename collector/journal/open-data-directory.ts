import fs from 'node:fs';
import { lockDirectory } from './directory-lock.ts';
import type { JournalLog } from './journal-log.ts';
import { NodeStorage } from './node-storage.ts';
import { Recovery } from './recovery.ts';
import { storageError } from './storage-error.ts';

/**
 * Opens a data directory for this process alone; makes it, mode 0700, when it is not there. Files that are not ours are left alone.
 * The lock ends with the state's `close`, or with the process however that ends.
 *
 * @throws StreamgaugeError `config` when another process holds it, or a newer version made it; `unavailable` when it cannot be made or read
 */
export async function openDataDirectory(directory: string, log: JournalLog): Promise<Recovery> {
  const storage = new NodeStorage(directory);
  const lock = await makeAndLock(storage.path);
  try {
    return await Recovery.start(storage, { log, onClose: () => lock.release() });
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function makeAndLock(directory: string): ReturnType<typeof lockDirectory> {
  try {
    fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
    return await lockDirectory(directory);
  } catch (error) {
    throw storageError(directory, 'begin', error);
  }
}
