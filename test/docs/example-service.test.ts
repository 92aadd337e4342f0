import path from 'node:path';
import test from 'ava';
import { until } from '../agent/until.ts';
import { startCollector, view } from '../integration/in-process.ts';
import { shown } from '../integration/shown.ts';
import { Child } from '../process/child.ts';
import { testEnvironment } from '../process/streamgauge.ts';

const root = path.resolve(import.meta.dirname, '../..');
const register = path.join(root, 'otel/sdk/register.ts');

function startService(env: Record<string, string | undefined>): Child {
  return new Child(process.execPath, ['--import', register, 'docs/examples/service.mjs'], {
    cwd: root,
    env: { ...testEnvironment, PORT: '0', OTEL_METRIC_EXPORT_INTERVAL: '200', ...env },
  });
}

const addressOf = async (child: Child) => (await child.waitForOutput(/listening on (http:\S+\/)/))[1]!;

test('the example service streams what it measures, with the runtime, and says the rest when it is ended', async (t) => {
  // A service that said goodbye leaves what passes, and stays in the totals of all.
  const collector = await startCollector(t, {
    views: [view('greetings', {}), view('greetings', { name: 'fleet.greetings', resourceKeys: [] })],
  });
  const service = startService({
    STREAMGAUGE_ENDPOINT: `http://${collector.addresses.grpc}`,
    OTEL_SERVICE_NAME: 'greeter',
    OTEL_RESOURCE_ATTRIBUTES: 'service.instance.id=one,deployment.environment.name=test',
  });
  t.teardown(() => service.kill());
  const address = await addressOf(service);
  for (let i = 0; i < 5; i++) t.is(await (await fetch(`${address}?lang=fr`)).text(), 'Bonjour!\n');
  await until('the first greetings are shown', () => shown(collector, 'greetings').get('one') === 5);
  await until('the heap is shown', () => (shown(collector, 'v8js.memory.heap.used').get('one') ?? 0) > 1e6);
  const names = [...collector.collect().resources].flatMap(({ scopes }) =>
    scopes.flatMap(({ streams }) => streams.map(({ metric }) => metric.name)),
  );
  for (const name of [
    'http.server.request.duration',
    'nodejs.eventloop.delay.p99',
    'nodejs.eventloop.time',
    'nodejs.eventloop.utilization',
    'process.cpu.time',
    'v8js.memory.heap.limit',
  ])
    t.true(names.includes(name), `${name} is among ${names.join(', ')}`);
  const [resource] = [...collector.collect().resources];
  const attributes = Object.fromEntries(resource!.resource.attributes);
  t.like(attributes, { 'service.name': 'greeter', 'deployment.environment.name': 'test' });
  t.true('process.pid' in attributes);
  for (let i = 0; i < 3; i++) await (await fetch(`${address}?lang=xx`)).text();
  t.is(await service.stop(), 'SIGTERM');
  t.deepEqual([...shown(collector, 'fleet.greetings').values()], [8]);
  t.notRegex(service.output, /streamgauge:/);
});

test('without a collector the service serves, says so once, and ends when it is told to', async (t) => {
  const service = startService({
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
    OTEL_EXPORTER_OTLP_TIMEOUT: '500',
  });
  t.teardown(() => service.kill());
  const address = await addressOf(service);
  t.is(await (await fetch(address)).text(), 'Hello!\n');
  await service.waitForOutput(/http:\/\/127\.0\.0\.1:9 cannot be reached: .*ECONNREFUSED.*; retrying/);
  t.is(await service.stop(10_000), 'SIGTERM');
  t.regex(service.output, /the newest values of \d+ series were not delivered/);
});

for (const [what, env] of [
  ['OTEL_METRICS_EXPORTER=none', { OTEL_METRICS_EXPORTER: 'none' }],
  ['OTEL_SDK_DISABLED=true', { OTEL_SDK_DISABLED: 'true' }],
] as const)
  test(`with ${what} nothing is set up`, async (t) => {
    const service = startService({ ...env, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });
    t.teardown(() => service.kill());
    await addressOf(service);
    t.is(await service.stop(), 'SIGTERM');
    t.notRegex(service.output, /streamgauge/);
  });
