// Builds the published package into dist: the sources as JavaScript with their types, the .proto files, the entry point and the bill of materials.
import { spawnSync } from 'node:child_process';
import { cpSync, globSync, rmSync, writeFileSync } from 'node:fs';
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

// What runs with the package, as CycloneDX, by the lockfile.
const npm = process.env.npm_execpath;
const [command, ...first] = npm === undefined ? ['npm'] : [process.execPath, npm];
const bill = spawnSync(
  command,
  [...first, 'sbom', '--sbom-format=cyclonedx', '--omit=dev', '--package-lock-only'],
  { cwd: root, encoding: 'utf8' },
);
if (bill.status !== 0) {
  process.stderr.write(`streamgauge: the bill of materials cannot be made: ${bill.stderr}\n`);
  process.exit(1);
}
writeFileSync(path.join(dist, 'sbom.cdx.json'), bill.stdout);
