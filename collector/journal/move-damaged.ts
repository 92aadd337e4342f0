import type { Damage } from './damage.ts';
import { damagedFolder } from './file-names.ts';
import { type Storage, writeAll } from './storage.ts';

const copyBytes = 1024 * 1024;

/** Copies the damaged files that are about to be written anew. @throws the platform's error */
export async function keepReplaced(
  storage: Storage,
  damages: readonly Damage[],
  nowMs: number,
): Promise<void> {
  const replaced = damages.filter(({ remedy }) => remedy.action === 'replace');
  if (replaced.length === 0) return;
  await storage.makeFolder(damagedFolder);
  for (const { file } of replaced)
    await copyTail(storage, file, 0, `${damagedFolder}/${file}.${stampOf(nowMs)}`);
  await storage.syncDirectory(damagedFolder);
}

/**
 * Does what each damage asks for: files that cannot be used, and damaged parts of files, move to the folder `damaged`, under their name and
 * the time; nothing is deleted but commits that were never whole.
 *
 * @throws the platform's error; what is not done then is found again at the next opening
 */
export async function applyRemedies(
  storage: Storage,
  damages: readonly Damage[],
  nowMs: number,
): Promise<void> {
  const kept = damages.filter(
    ({ remedy }) => remedy.action === 'move' || (remedy.action === 'cut' && remedy.keeps),
  );
  if (kept.length > 0) await storage.makeFolder(damagedFolder);
  for (const { file, remedy } of damages) {
    if (remedy.action === 'move') await storage.rename(file, `${damagedFolder}/${file}.${stampOf(nowMs)}`);
    if (remedy.action !== 'cut') continue;
    if (remedy.keeps) {
      const copy = `${damagedFolder}/${file}.from-${remedy.offset}.${stampOf(nowMs)}`;
      await copyTail(storage, file, remedy.offset, copy);
      await storage.syncDirectory(damagedFolder);
    }
    await cut(storage, file, remedy.offset);
  }
  if (kept.length === 0) return;
  await storage.syncDirectory(damagedFolder);
  await storage.syncDirectory();
}

async function cut(storage: Storage, name: string, offset: number): Promise<void> {
  const file = await storage.open(name, 'update');
  try {
    await file.truncate(offset);
    await file.sync();
  } finally {
    await file.close();
  }
}

function stampOf(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:.]/g, '');
}

async function copyTail(storage: Storage, from: string, offset: number, to: string): Promise<void> {
  await storage.remove(to);
  const source = await storage.open(from, 'read');
  try {
    const target = await storage.open(to, 'create');
    try {
      const window = Buffer.allocUnsafeSlow(copyBytes);
      for (let at = 0; ; ) {
        const read = await source.read(window, offset + at);
        if (read === 0) break;
        await writeAll(target, [window.subarray(0, read)], at);
        at += read;
      }
      await target.sync();
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}
