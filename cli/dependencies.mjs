// What streamgauge stands on: licences, versions that are too old to be safe, and known vulnerabilities where the registry tells them.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** Licences that a program under Apache-2.0 may be built on and shipped with. */
const licences = new Set([
  'Apache-2.0',
  'MIT',
  'MIT OR Apache-2.0',
  '(MIT OR CC0-1.0)',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
]);

/** The first versions without vulnerabilities that matter here, for each major version that is in use. */
const leastVersions = {
  '@grpc/grpc-js': ['1.14.5'],
  protobufjs: ['7.6.3', '8.6.0'],
  node: ['24.17.0'],
};

/** Advisories that do not concern streamgauge, by their URL, each with the reason. */
const explained = new Map();

const problems = [];
const { packages } = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8'));
let count = 0;
for (const [place, { version, license, link }] of Object.entries(packages)) {
  if (place === '' || link === true) continue;
  count++;
  const name = place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
  if (!licences.has(license))
    problems.push(
      `${name} ${version} has the licence ${license ?? '(none)'}; allowed: ${[...licences].join(', ')}`,
    );
  if (leastVersions[name] !== undefined && !isAtLeast(version, leastVersions[name]))
    problems.push(`${name} is ${version}; at least ${leastVersions[name].join(' or ')} is needed`);
}

const known = knownVulnerabilities();
for (const { name, title, url, severity } of known.found)
  if (!explained.has(url)) problems.push(`${name}: ${title} (${severity}, ${url})`);

for (const problem of problems) console.error(problem);
console.log(`${count} packages; ${known.note}; ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;

function isAtLeast(version, leasts) {
  const parts = version.split('.').map(Number);
  return leasts.some((least) => {
    const wanted = least.split('.').map(Number);
    if (parts[0] !== wanted[0]) return parts[0] > Math.max(...leasts.map((one) => Number.parseInt(one, 10)));
    return parts[1] > wanted[1] || (parts[1] === wanted[1] && parts[2] >= wanted[2]);
  });
}

/** What the registry knows. Not every registry answers that. */
function knownVulnerabilities() {
  const npm = process.env.npm_execpath;
  const [command, ...first] = npm === undefined ? ['npm'] : [process.execPath, npm];
  const { stdout } = spawnSync(command, [...first, 'audit', '--json'], {
    cwd: root,
    encoding: 'utf8',
    timeout: 60_000,
  });
  let answer;
  try {
    answer = JSON.parse(stdout);
  } catch {
    answer = {};
  }
  if (answer.vulnerabilities === undefined)
    return { found: [], note: 'the registry does not tell of vulnerabilities' };
  const found = Object.values(answer.vulnerabilities).flatMap(({ name, via }) =>
    via
      .filter((one) => typeof one === 'object')
      .map(({ title, url, severity }) => ({ name, title, url, severity })),
  );
  return { found, note: `${found.length} known vulnerabilities` };
}
