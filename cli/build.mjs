// Builds the published package into dist: the sources as JavaScript with their types, the .proto files and the entry point.
import { spawnSync } from 'node:child_process';
import { cpSync, globSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const dist = path.join(root, 'dist');

// What a file was renamed from must not stay in the package.
rmSync(dist, { recursive: true, force: true });
const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const { status } = spawnSync(process.execPath, [tsc, '--project', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});
if (status !== 0) {
  process.stderr.write('streamgauge: the package is not built, because the sources above do not compile.\n');
  process.exit(1);
}
for (const file of [...globSync('proto/**/*.proto', { cwd: root }), 'cli/streamgauge.mjs']) {
  cpSync(path.join(root, file), path.join(dist, file));
}
