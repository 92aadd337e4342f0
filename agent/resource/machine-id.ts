import fs from 'node:fs';

/**
 * The id of this installation of the operating system (machine-id(5)): /etc/machine-id, else /var/lib/dbus/machine-id, as the
 * semantic conventions say for host.id.
 *
 * @param root - stands before the paths: '' or where the host's root is mounted
 * @returns 32 hexadecimal digits, or `undefined` when there is none: a container image, or a first boot
 */
export function machineId(root = ''): string | undefined {
  for (const path of ['/etc/machine-id', '/var/lib/dbus/machine-id']) {
    try {
      const id = fs.readFileSync(`${root}${path}`, 'latin1').trim().toLowerCase();
      if (/^[0-9a-f]{32}$/.test(id) && !/^0+$/.test(id)) return id;
    } catch {
      // Not every system has one, and the other path may.
    }
  }
  return undefined;
}
