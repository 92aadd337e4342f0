import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { inputTable } from '../../cli/ledger-table.ts';
import { adminServer } from '../../collector/http/servers.ts';
import { inspectRoutes } from '../../collector/inspect/inspect-routes.ts';
import type { BookedReader } from '../../collector/inspect/output-answer.ts';
import { attributes } from '../../otel/model/attributes.ts';
import { metric } from '../../otel/model/metric.ts';
import { Core } from '../collector/core.ts';

const entry = fileURLToPath(new URL('../../cli/streamgauge.mjs', import.meta.url));
const jobs = metric({ name: 'jobs', kind: 'sum', isMonotonic: true });

const reader: BookedReader = {
  name: 'backend',
  counts: { requests: 7, requestsFailed: 2, retries: 1 },
  lines: [
    {
      metric: 'jobs',
      collected: 1000,
      exported: 990,
      rejected: 1,
      failed: 2,
      superseded: 3,
      dropped: 0,
      waiting: 4,
      isBalanced: true,
    },
  ],
};

function run(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [entry, 'ledger', ...args], { timeout: 30_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

test('the books of a collector, on its admin port', async (t) => {
  const core = new Core();
  const stream = core.stream();
  stream.hello('a', 1, attributes({}));
  const number = stream.define(
    { metric: jobs, attributes: attributes({}), group: 0, isForeign: false },
    'e',
    undefined,
    0,
  );
  for (const [i, value] of [1500, 1700].entries()) {
    core.nowUs += 1_000_000;
    stream.report(0, core.nowUs, new Map([[number, value]]), i + 1);
  }
  const server = adminServer({
    host: '127.0.0.1',
    port: 0,
    onFailure: () => {},
    status: () => ({}),
    agents: () => [],
    routes: inspectRoutes(core.store, () => [reader]),
  });
  t.teardown(() => server.stop());
  await server.start();
  const port = ['--admin-port', server.address.slice(server.address.lastIndexOf(':') + 1)];
  t.deepEqual(await run(port), {
    code: 0,
    stdout: [
      'metric  reported  counted  baseline  refused',
      'jobs       1,700      200     1,500',
      'Balanced: reported = counted + baseline.',
      '',
      'reader backend: 7 requests, 2 failed, 1 retried',
      'metric  collected  exported  rejected  failed  superseded  dropped  waiting',
      'jobs        1,000       990         1       2           3        0        4',
      'Balanced: collected = exported + rejected + failed + superseded + dropped + waiting.',
      '',
    ].join('\n'),
    stderr: '',
  });
  const json = await run([...port, '--json', '--by-member']);
  t.is(JSON.parse(json.stdout).input.lines[0].member, 'a');
  core.store.sums.offsets.set(1, 0);
  const broken = await run(port);
  t.is(broken.code, 1);
  t.regex(broken.stdout, /NOT BALANCED/);
  const wrong = await run([...port, '--limit', 'many']);
  t.regex(
    wrong.stderr,
    /^streamgauge: the collector at .* says: limit is "many"; allowed is a whole number from 1 to 100000\n$/,
  );
});

test('no collector, one sentence', async (t) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  t.deepEqual(await run(['--admin-port', `${port}`]), {
    code: 1,
    stdout: '',
    stderr: `streamgauge: no collector answers at 127.0.0.1:${port}; start one, or give its address with --host and --admin-port, and --ca-file where it speaks TLS\n`,
  });
});

test('names from members cannot steer a terminal', (t) => {
  const text = inputTable({
    equation: 'reported = counted + baseline',
    isBalanced: true,
    lines: [
      {
        member: 'evil\u001b[2J',
        metric: 'a\nb',
        reported: 0.1,
        counted: 0.1,
        baseline: { points: 0, amount: 0 },
        refused: { not_finite: { points: 3, amount: 0 }, overlap: { points: 1, amount: 2 } },
        isBalanced: true,
      },
    ],
    omitted: 4,
  });
  t.deepEqual(text.split('\n'), [
    'metric  member       reported      counted  baseline  refused',
    'a\ufffdb     evil\ufffd[2J  0.100000000  0.100000000         0  not_finite 3, overlap 1 (2)',
    '4 more; --limit shows them.',
    'Balanced: reported = counted + baseline.',
    '',
  ]);
});
