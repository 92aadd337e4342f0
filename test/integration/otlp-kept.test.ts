import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Collector } from '../../collector/collector.ts';
import { directoryDefaults } from '../../collector/config/collector-config.ts';
import { counter, keyValues, point } from '../collector/receivers/otlp/otlp-core.ts';
import { readCollection } from '../model/read-collection.ts';
import { collectorConfig, view } from './in-process.ts';

const silent = { info() {}, warn() {}, error() {}, debug() {} };

async function directoryOf(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'otlp-kept-'));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function start(t: ExecutionContext, path: string, errors: string[] = []): Promise<Collector> {
  const config = collectorConfig({
    storage: { ...directoryDefaults, path },
    views: [view('jobs', { name: 'fleet.jobs', resourceKeys: [] }), view('took', {})],
  });
  const log = { ...silent, error: (_: object, message: string) => void errors.push(message) };
  const collector = new Collector(config, { log: log as never, version: '1.0.0' });
  t.teardown(() => collector.stop());
  await collector.start();
  return collector;
}

async function post(collector: Collector, body: object): Promise<unknown> {
  const response = await fetch(`http://${collector.addresses.http}/v1/metrics`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  return response.json();
}

function body(instance: string, ...metrics: object[]): object {
  const attributes = keyValues({ 'service.name': 'shop', 'service.instance.id': instance });
  return {
    resourceMetrics: [{ resource: { attributes }, scopeMetrics: [{ scope: { name: 's' }, metrics }] }],
  };
}

function shown(collector: Collector, name: string): unknown[] {
  return [...readCollection(collector.collect())].flatMap(([key, points]) =>
    key.startsWith(`${name} `) ? points.map(({ value }) => value) : [],
  );
}

for (const end of ['stopped', 'drained'] as const)
  test(`what came as OTLP is there after a restart, and what comes again is not counted twice: ${end}`, async (t) => {
    const path = await directoryOf(t);
    const nowS = Math.floor(Date.now() / 1000);
    const sent = [1, 2, 3].map((n) =>
      body(
        `${n % 2}`,
        counter('jobs', 'delta', point({ start: nowS + n, time: nowS + n + 1 }, { asInt: `${n}` })),
        {
          name: 'took',
          histogram: {
            aggregationTemporality: 1,
            dataPoints: [
              point(
                { start: nowS + n, time: nowS + n + 1 },
                { count: '3', sum: 4, bucketCounts: ['1', '2'], explicitBounds: [1] },
              ),
            ],
          },
        },
      ),
    );
    const errors: string[] = [];
    const first = await start(t, path, errors);
    for (const request of sent) t.deepEqual(await post(first, request), {});
    t.deepEqual(shown(first, 'fleet.jobs'), [6]);
    if (end === 'drained') t.is((await first.drain(5000)).storageError, undefined);
    await first.stop();

    const second = await start(t, path, errors);
    t.deepEqual(shown(second, 'fleet.jobs'), [6]);
    t.is(shown(second, 'took').length, 2);
    for (const request of sent) t.deepEqual(await post(second, request), {});
    t.deepEqual(shown(second, 'fleet.jobs'), [6]);
    const next = counter('jobs', 'delta', point({ start: nowS + 4, time: nowS + 5 }, { asInt: '10' }));
    t.deepEqual(await post(second, body('1', next)), {});
    t.deepEqual(shown(second, 'fleet.jobs'), [16]);
    await second.stop();

    const third = await start(t, path, errors);
    t.deepEqual(shown(third, 'fleet.jobs'), [16]);
    t.deepEqual(errors, []);
  });
