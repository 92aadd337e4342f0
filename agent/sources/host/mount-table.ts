import { textOf, unescapeOctal } from './text-of.ts';

/** A mounted file system. */
export interface Mount {
  /** `major:minor` of the device; the same for all mounts of one file system. */
  readonly deviceNumber: string;
  /** The directory within the file system that is mounted: `/` unless it is a bind mount or subvolume. */
  readonly subtree: string;
  /** As the kernel names it, for statfs: not always UTF-8. */
  readonly mountPointBytes: Uint8Array;
  readonly mountPoint: string;
  /** `rw` or `ro`. */
  readonly mode: string;
  readonly type: string;
  readonly device: string;
}

/**
 * Reads /proc/self/mountinfo (proc_pid_mountinfo(5)). Lines that are not of its form are left out; of several mounts on one
 * mount point, only the last is there, as it hides the others.
 */
export function parseMountInfo(bytes: Uint8Array): Mount[] {
  const mounts = new Map<string, Mount>();
  let from = 0;
  while (from < bytes.length) {
    let to = bytes.indexOf(10, from);
    if (to < 0) to = bytes.length;
    const mount = parseLine(bytes.subarray(from, to));
    // Deleted first, so that the map's order is that of mounting.
    if (mount !== undefined) {
      mounts.delete(mount.mountPoint);
      mounts.set(mount.mountPoint, mount);
    }
    from = to + 1;
  }
  return [...mounts.values()];
}

function parseLine(line: Uint8Array): Mount | undefined {
  const words = split(line);
  // 36 35 98:0 /subtree /mnt rw,noatime [optional fields] - ext3 /dev/root rw,errors=continue
  const dash = words.findIndex((word, i) => i >= 6 && word.length === 1 && word[0] === 45);
  if (dash < 0 || words.length < dash + 3) return undefined;
  const text = (i: number): string => textOf(unescapeOctal(words[i]!));
  return {
    deviceNumber: text(2),
    subtree: text(3),
    mountPointBytes: Uint8Array.from(unescapeOctal(words[4]!)),
    mountPoint: text(4),
    mode: text(5).split(',').includes('ro') ? 'ro' : 'rw',
    type: text(dash + 1),
    device: text(dash + 2),
  };
}

/** Split at each single space: a device may have an empty name. */
function split(line: Uint8Array): Uint8Array[] {
  const words: Uint8Array[] = [];
  let from = 0;
  for (let to = line.indexOf(32); to >= 0; to = line.indexOf(32, from)) {
    words.push(line.subarray(from, to));
    from = to + 1;
  }
  words.push(line.subarray(from));
  return words;
}

/**
 * One mount of each file system: the first of its whole, else the first of all. The others are bind mounts or subvolumes, which
 * show the same numbers.
 */
export function onePerFilesystem(mounts: readonly Mount[]): Mount[] {
  const chosen = new Map<string, Mount>();
  for (const mount of mounts) {
    const held = chosen.get(mount.deviceNumber);
    if (held === undefined || (held.subtree !== '/' && mount.subtree === '/'))
      chosen.set(mount.deviceNumber, mount);
  }
  return [...chosen.values()];
}
