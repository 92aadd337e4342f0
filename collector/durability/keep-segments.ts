import fs from 'node:fs/promises';
import path from 'node:path';

/** Copies the journal's segments into the folder for what could not be used: they are whole, and what they hold cannot be applied. */
export async function keepSegments(directory: string): Promise<void> {
  const kept = path.join(directory, 'damaged');
  await fs.mkdir(kept, { recursive: true, mode: 0o700 });
  for (const name of await fs.readdir(directory))
    if (name.startsWith('segment-'))
      await fs.copyFile(path.join(directory, name), path.join(kept, `${name}.${Date.now()}`));
}
