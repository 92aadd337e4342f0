import test, { type ExecutionContext } from 'ava';
import type { HttpListener } from '../../../collector/http/http-listener.ts';
import { textAnswer } from '../../../collector/http/route.ts';
import { adminServer, httpServer, prometheusServer } from '../../../collector/http/servers.ts';
import type { ExpositionReport } from '../../../otel/prometheus/exposition-report.ts';
import { PrometheusWriter } from '../../../otel/prometheus/writer.ts';
import { parseExposition } from '../../otel/prometheus/exposition-parser.ts';
import { collectionOf } from '../../otel/prometheus/test-collection.ts';
import { asker } from './start-listener.ts';

const where = { host: '127.0.0.1', port: 0, onFailure: () => {} };
const points = Array.from({ length: 3000 }, (_, i) => ({ attributes: { i: `${i}` }, value: i }));
const collection = collectionOf({
  attributes: { 'host.name': 'h' },
  metrics: [{ name: 'many', kind: 'gauge', points }],
});

async function started(t: ExecutionContext, listener: HttpListener) {
  t.teardown(() => listener.stop());
  await listener.start();
  return asker(listener);
}

test('the HTTP port: alive, ready or not with the reason, metrics in both formats', async (t) => {
  let readiness: { ready: boolean; reason?: string } = { ready: true };
  const scrapes: ExpositionReport[] = [];
  const ask = await started(
    t,
    httpServer({
      ...where,
      ready: () => readiness,
      writer: new PrometheusWriter(),
      collection: async () => collection,
      onScrape: (report) => scrapes.push(report),
    }),
  );
  t.is((await ask('/healthz')).status, 200);
  t.is((await ask('/readyz')).status, 200);
  readiness = { ready: false, reason: 'draining' };
  const notReady = await ask('/readyz');
  t.is(notReady.status, 503);
  t.is(notReady.text, 'not ready: draining\n');
  t.is((await ask('/healthz')).status, 200);

  const text = await ask('/metrics');
  t.is(text.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  t.is(parseExposition(text.text, false).get('many')?.samples.length, 3000);
  const openMetrics = await ask('/metrics', { headers: { accept: 'application/openmetrics-text' } });
  t.is(openMetrics.headers['content-type'], 'application/openmetrics-text; version=1.0.0; charset=utf-8');
  t.is(parseExposition(openMetrics.text, true).get('many')?.samples.length, 3000);
  t.is((await ask('/metrics', { method: 'HEAD' })).status, 200);
  t.deepEqual(
    scrapes.map((report) => report.samples),
    [3001, 3001, 0],
  );
  t.is((await ask('/status')).status, 404);
});

test('more than eight scrapes at a time are told to come back, and a place that was left is free again', async (t) => {
  const gate = Promise.withResolvers<void>();
  let waiting = 0;
  const ask = await started(
    t,
    prometheusServer({
      ...where,
      portSetting: 'readers[0].pull.exporter.prometheus.port',
      writer: new PrometheusWriter(),
      collection: async () => {
        waiting++;
        await gate.promise;
        return collection;
      },
      onScrape: () => {},
    }),
  );
  const held = Array.from({ length: 8 }, () => ask('/metrics'));
  while (waiting < 8) await new Promise((resolve) => setTimeout(resolve, 2));
  const refused = await ask('/metrics');
  t.is(refused.status, 503);
  t.is(refused.headers['retry-after'], '1');
  gate.resolve();
  t.deepEqual(
    (await Promise.all(held)).map(({ status }) => status),
    Array(8).fill(200),
  );
  t.is((await ask('/metrics')).status, 200);
});

test('a collection that fails takes no place for good', async (t) => {
  const ask = await started(
    t,
    prometheusServer({
      ...where,
      portSetting: '',
      writer: new PrometheusWriter(),
      collection: () => Promise.reject(new Error('not now')),
      onScrape: () => {},
    }),
  );
  for (let i = 0; i < 12; i++) t.is((await ask('/metrics')).status, 500);
});

test('the admin port lists its routes and gives status and agents as JSON', async (t) => {
  const listener = adminServer({
    ...where,
    status: () => ({ streams: 3, since: 5n, far: 2n ** 60n }),
    agents: () => [{ id: 'a' }],
    routes: [
      { method: 'POST', path: '/reload', summary: 'Reads it again.', handle: () => textAnswer(200, 'done') },
    ],
  });
  const ask = await started(t, listener);
  t.is(
    (await ask('/')).text,
    'GET /  This list.\nGET /status  Status as JSON.\nGET /agents  The agents as JSON.\nPOST /reload  Reads it again.\n',
  );
  const status = await ask('/status');
  t.is(status.headers['content-type'], 'application/json; charset=utf-8');
  t.deepEqual(JSON.parse(status.text), { streams: 3, since: 5, far: '1152921504606846976' });
  t.deepEqual(JSON.parse((await ask('/agents')).text), [{ id: 'a' }]);
  t.is((await ask('/reload', { method: 'POST' })).status, 200);
  t.is((await ask('/status', { headers: { origin: 'http://evil.example' } })).status, 403);
});
