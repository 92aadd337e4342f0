import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { run } from '../../process/child.ts';
import { cached } from '../cached.ts';

export interface PrometheusTools {
  /** Paths of the executables. */
  readonly prometheus: string;
  readonly promtool: string;
}

/**
 * Debian's Prometheus: the installed one, else the package's files taken out into the cache. It is not installed, because
 * that would start it as a service.
 *
 * @throws Error with the output of what failed.
 */
export async function prometheusTools(): Promise<PrometheusTools> {
  let folder = '/usr/bin';
  if (!existsSync('/usr/bin/promtool') || !existsSync('/usr/bin/prometheus')) {
    folder = path.join(await cached('debian-prometheus', unpack), 'usr/bin');
  }
  return { prometheus: path.join(folder, 'prometheus'), promtool: path.join(folder, 'promtool') };
}

async function unpack(target: string): Promise<void> {
  const options = { cwd: target, timeoutMs: 180_000 };
  try {
    await run('apt-get', ['download', 'prometheus'], options);
  } catch {
    // The lists of packages are missing or old.
    await run('apt-get', ['update'], options);
    await run('apt-get', ['download', 'prometheus'], options);
  }
  const file = (await readdir(target)).find((name) => name.endsWith('.deb'));
  if (file === undefined) throw new Error('apt-get download prometheus left no .deb file');
  await run('dpkg-deb', ['-x', file, target], options);
}
