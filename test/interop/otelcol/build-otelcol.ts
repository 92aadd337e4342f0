import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { run } from '../../process/child.ts';
import { cached, cacheFolder } from '../cached.ts';

const manifest = path.join(import.meta.dirname, 'manifest.yaml');

/** Compiling with an empty module and build cache takes minutes on a small machine. */
const timeoutMs = 9 * 60_000;

/**
 * Builds the OpenTelemetry Collector of manifest.yaml with Go and the Collector's own builder, or finds the one that an earlier
 * run built.
 *
 * @returns the path of the executable.
 * @throws Error with the output of what failed.
 */
export async function buildOtelcol(): Promise<string> {
  const { name, version } = await build();
  const folder = await cached(name, async (target) => {
    const work = await mkdtemp(path.join(os.tmpdir(), 'otelcol-'));
    try {
      const env = { GOBIN: path.join(work, 'bin'), GOFLAGS: '-buildvcs=false' };
      const builder = `go.opentelemetry.io/collector/cmd/builder@v${version}`;
      await run('go', ['install', builder], { cwd: work, env, timeoutMs });
      await copyFile(manifest, path.join(work, 'manifest.yaml'));
      await run(path.join(work, 'bin', 'builder'), ['--config', 'manifest.yaml'], {
        cwd: work,
        env,
        timeoutMs,
      });
      await copyFile(path.join(work, 'out', 'otelcol'), path.join(target, 'otelcol'));
      await chmod(path.join(target, 'otelcol'), 0o755);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  });
  return path.join(folder, 'otelcol');
}

/** Whether an earlier run built it. */
export async function isOtelcolBuilt(): Promise<boolean> {
  const { name } = await build();
  return existsSync(path.join(cacheFolder, name));
}

async function build(): Promise<{ name: string; version: string }> {
  const text = await readFile(manifest, 'utf8');
  const version = /^ {2}version: (\S+)$/m.exec(text)?.[1];
  if (version === undefined) throw new Error(`${manifest} has no dist.version`);
  const hash = createHash('sha256').update(text).update(os.arch()).digest('hex').slice(0, 16);
  return { name: `otelcol-${version}-${hash}`, version };
}
