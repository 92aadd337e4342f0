import fs from 'node:fs';
import { StreamgaugeError } from '../../proto/error.ts';

/**
 * The id of the running kernel's boot: the same for all processes between two boots, another one after.
 *
 * @param root - stands before /proc: '' or where the host's root is mounted
 * @returns 36 characters, lower case: `8a5f2b1c-…`
 * @throws when /proc/sys/kernel/random/boot_id cannot be read or holds no such id
 */
export function bootId(root = ''): string {
  const path = `${root}/proc/sys/kernel/random/boot_id`;
  const id = fs.readFileSync(path, 'latin1').trim().toLowerCase();
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) {
    throw new StreamgaugeError(
      'unavailable',
      `expected a boot id in ${path}, a UUID, and found ${JSON.stringify(id.slice(0, 64))}`,
    );
  }
  return id;
}
