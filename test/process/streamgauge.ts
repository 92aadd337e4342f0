import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Child, run } from './child.ts';
import { fixedPort } from './fixed-port.ts';

const root = path.resolve(import.meta.dirname, '../..');
/** The program as it runs in a clone, and as the package has it; the latter is there once it is built. */
const entries = {
  sources: path.join(root, 'cli', 'streamgauge.mjs'),
  package: path.join(root, 'dist', 'cli', 'streamgauge.mjs'),
};
export type Build = keyof typeof entries;

/** Builds the package into dist. @throws Error with what was written when that fails */
export async function buildPackage(): Promise<void> {
  await run(process.execPath, [path.join(root, 'cli', 'build.mjs')], { cwd: root, timeoutMs: 180_000 });
}

/** Nothing of what the machine is set up for reaches the programs of a test. */
export const testEnvironment: Readonly<Record<string, string | undefined>> = Object.fromEntries(
  Object.keys(process.env)
    .filter((name) => name.startsWith('OTEL_'))
    .map((name) => [name, undefined]),
);

/** Starts `streamgauge ARGUMENTS` as a process of its own. */
export function startStreamgauge(
  args: readonly string[],
  build: Build = 'sources',
  moreEnv: Readonly<Record<string, string>> = {},
): Child {
  return new Child(process.execPath, [entries[build], ...args], {
    cwd: root,
    env: { ...testEnvironment, ...moreEnv },
  });
}

/** Runs `streamgauge ARGUMENTS` to its end. @returns what it wrote. @throws Error with that when it fails */
export function runStreamgauge(args: readonly string[], timeoutMs: number): Promise<string> {
  return run(process.execPath, [entries.sources, ...args], { cwd: root, env: testEnvironment, timeoutMs });
}

export interface CollectorProcess {
  readonly child: Child;
  readonly grpcPort: number;
  readonly httpPort: number;
  readonly adminPort: number;
}

export interface CollectorPorts {
  readonly grpcPort?: number;
  readonly httpPort?: number;
  readonly adminPort?: number;
}

/** Starts `streamgauge collector` on ports that stay free when it is gone, or on those given, and waits until it is ready. */
export async function startCollectorProcess(
  args: readonly string[] = [],
  ports: CollectorPorts = {},
  moreEnv: Readonly<Record<string, string>> = {},
): Promise<CollectorProcess> {
  const grpcPort = ports.grpcPort ?? (await fixedPort());
  const httpPort = ports.httpPort ?? (await fixedPort());
  const adminPort = ports.adminPort ?? (await fixedPort());
  const listen = Object.entries({
    '--grpc-port': grpcPort,
    '--http-port': httpPort,
    '--admin-port': adminPort,
  });
  const child = startStreamgauge(['collector', ...listen.flat().map(String), ...args], 'sources', moreEnv);
  const deadline = performance.now() + 30_000;
  while (!(await isReady(httpPort))) {
    if (child.ended || performance.now() > deadline) {
      await child.kill();
      throw new Error(`${child.command} did not become ready. It wrote:\n${child.output.slice(-8000)}`);
    }
    await delay(25);
  }
  return { child, grpcPort, httpPort, adminPort };
}

/** Starts `streamgauge agent` for a collector on 127.0.0.1. */
export function startAgentProcess(
  grpcPort: number,
  args: readonly string[] = [],
  build: Build = 'sources',
): Child {
  return startStreamgauge(['agent', '--endpoint', `127.0.0.1:${grpcPort}`, ...args], build);
}

async function isReady(httpPort: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${httpPort}/readyz`, { signal: AbortSignal.timeout(2000) })).ok;
  } catch {
    return false;
  }
}
