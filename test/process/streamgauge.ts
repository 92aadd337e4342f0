import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Child } from './child.ts';
import { fixedPort } from './fixed-port.ts';

const root = path.resolve(import.meta.dirname, '../..');
const program = path.join(root, 'cli', 'streamgauge.mjs');
/** Nothing of what the machine is set up for reaches the programs of a test. */
const env = Object.fromEntries(
  Object.keys(process.env)
    .filter((name) => name.startsWith('OTEL_'))
    .map((name) => [name, undefined]),
);

/** Starts `streamgauge ARGUMENTS` as a process of its own. */
export function startStreamgauge(args: readonly string[]): Child {
  return new Child(process.execPath, [program, ...args], { cwd: root, env });
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
): Promise<CollectorProcess> {
  const grpcPort = ports.grpcPort ?? (await fixedPort());
  const httpPort = ports.httpPort ?? (await fixedPort());
  const adminPort = ports.adminPort ?? (await fixedPort());
  const listen = Object.entries({
    '--grpc-port': grpcPort,
    '--http-port': httpPort,
    '--admin-port': adminPort,
  });
  const child = startStreamgauge(['collector', ...listen.flat().map(String), ...args]);
  const deadline = performance.now() + 20_000;
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
export function startAgentProcess(grpcPort: number, args: readonly string[] = []): Child {
  return startStreamgauge(['agent', '--endpoint', `127.0.0.1:${grpcPort}`, ...args]);
}

async function isReady(httpPort: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${httpPort}/readyz`, { signal: AbortSignal.timeout(2000) })).ok;
  } catch {
    return false;
  }
}
