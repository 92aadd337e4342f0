// Runs before `npm start`, `npm test` and `npm run bench`. Plain JavaScript that any Node from 18 on can run: it installs the
// dependencies, quietly, when node_modules is missing or older than the lockfile. One of them is Node itself, so that what
// follows runs on the version this project needs, whatever is on the machine.
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, statSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const lockfile = path.join(root, 'package-lock.json');
const installed = path.join(root, 'node_modules', '.package-lock.json');

function isUpToDate() {
  // Who links another tree's dependencies sees to them there: installing would empty what the link leads to.
  if (lstatSync(path.join(root, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) return true;
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(lockfile).mtimeMs;
}

if (!isUpToDate()) {
  process.stderr.write('streamgauge: installing dependencies, once…\n');
  const npmCli = process.env.npm_execpath;
  const args = ['ci', '--loglevel=error', '--no-audit', '--no-fund'];
  const options = { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] };
  const result = npmCli
    ? spawnSync(process.execPath, [npmCli, ...args], options)
    : spawnSync(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, {
        ...options,
        shell: process.platform === 'win32',
      });
  if (result.status !== 0) {
    process.stderr.write(
      `streamgauge: the dependencies could not be installed (npm ci ended with ${result.status ?? result.signal ?? result.error?.message}). Check the network or the npm registry settings and run the command again.\n`,
    );
    process.exit(1);
  }
  const now = new Date();
  utimesSync(installed, now, now);
}
