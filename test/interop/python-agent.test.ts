import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { run } from '../process/child.ts';
import { startCollectorProcess } from '../process/streamgauge.ts';
import { cached } from './cached.ts';

const version = '1.84.0';
const root = path.resolve(import.meta.dirname, '../..');

/** A folder with grpcio for the Python there is. */
function grpcio(): Promise<string> {
  return cached(`python-grpcio-${version}`, async (folder) => {
    const args = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
    await run('python3', [...args, '--target', folder, `grpcio==${version}`], { timeoutMs: 240_000 });
  });
}

/** All that the collector shows of the counter. */
async function total(httpPort: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${httpPort}/metrics`);
  const lines = (await response.text()).split('\n').filter((line) => line.startsWith('fleet_lines_total{'));
  return lines.reduce((sum, line) => sum + Number(/\} (\S+)/.exec(line)![1]), 0);
}

async function becomes(httpPort: number, expected: number): Promise<void> {
  const end = performance.now() + 60_000;
  for (;;) {
    const shown = await total(httpPort);
    if (shown === expected) return;
    if (performance.now() > end || shown > expected) throw new Error(`${shown} is shown, not ${expected}`);
    await delay(100);
  }
}

test('the agent of docs/examples/agent.py counts right over a killed collector and its own restart', async (t) => {
  const modules = await grpcio();
  const directory = await mkdtemp(path.join(tmpdir(), 'python-agent-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const file = path.join(root, 'test/interop/fixtures/python-agent.yaml');
  const args = ['--data-dir', directory, '--config', file];
  const first = await startCollectorProcess(args);
  t.teardown(() => first.child.kill());
  const start = (): { agent: ChildProcess; said: () => string } => {
    const agent = spawn(
      'python3',
      [path.join(root, 'docs/examples/agent.py'), `127.0.0.1:${first.grpcPort}`, 'python-1'],
      { env: { ...process.env, PYTHONPATH: modules, no_proxy: '*' }, stdio: ['pipe', 'inherit', 'pipe'] },
    );
    t.teardown(() => agent.kill('SIGKILL'));
    let text = '';
    agent.stderr!.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    return { agent, said: () => text };
  };
  const { agent, said } = start();
  agent.stdin!.write('a\nb\nc\n');
  await becomes(first.httpPort, 3);

  await first.child.kill();
  agent.stdin!.write('d\ne\n');
  const ports = { grpcPort: first.grpcPort, httpPort: first.httpPort, adminPort: first.adminPort };
  const second = await startCollectorProcess(args, ports);
  t.teardown(() => second.child.kill());
  await becomes(second.httpPort, 5);
  t.regex(said(), /UNAVAILABLE: .*; connecting again/);
  t.notRegex(said(), /^refused|Traceback/m);

  agent.stdin!.end('f\n');
  const [code] = (await once(agent, 'exit')) as [number];
  t.is(code, 0, said());
  await becomes(second.httpPort, 6);

  // Its next run counts from zero, in an epoch of its own.
  const next = start();
  next.agent.stdin!.end('g\nh\n');
  t.deepEqual((await once(next.agent, 'exit'))[0], 0, next.said());
  await becomes(second.httpPort, 8);
  t.is(await second.child.stop(), 0);
});
