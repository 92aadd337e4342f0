import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { CollectorConfig } from '../../../collector/config/collector-config.ts';
import { until } from '../../interop/until.ts';
import { fixedPort } from '../../process/fixed-port.ts';
import { startHttpSink } from '../../sinks/http-sink.ts';
import { CountingSource, counts } from '../counting-source.ts';
import { collectorConfig, otlpReader, startAgent, view } from '../in-process.ts';
import { mergesAnew } from '../merged.ts';
import { folder, ReloadedCollector } from './reloaded.ts';

const { grpc, http, admin } = collectorConfig();
const fleet = view('jobs.done', { name: 'fleet.done', resourceKeys: [] });

/** The status of an answer; 0 where nobody listens. */
async function statusAt(
  address: string,
  where = '/healthz',
  headers: Record<string, string> = {},
): Promise<number> {
  try {
    const response = await fetch(`http://${address}${where}`, { headers, signal: AbortSignal.timeout(5000) });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return 0;
  }
}

test('an HTTP port moves, and answers at the new address only; others stay', async (t) => {
  const world = await ReloadedCollector.start(t);
  const before = world.collector.addresses;
  const port = await fixedPort();
  t.deepEqual(await world.reload({ http: { ...http, port } }), ['http.port']);
  t.deepEqual(world.collector.addresses, { ...before, http: `127.0.0.1:${port}` });
  t.is(await statusAt(`127.0.0.1:${port}`), 200);
  await until(async () => (await statusAt(before.http)) === 0, 'nobody listens there any more');
});

test('a port whose limits change is made anew at its address, while what is asked there is answered: the reload too', async (t) => {
  const world = await ReloadedCollector.start(t);
  const { admin: address } = world.collector.addresses;
  world.config = { ...world.config, admin: { ...admin, limits: { ...admin.limits, maxConnections: 77 } } };
  const response = await fetch(`http://${address}/reload`, { method: 'POST' });
  t.is(response.status, 200);
  t.deepEqual(await response.json(), {
    changes: [{ key: 'admin.limits.max_connections', before: '256', after: '77' }],
  });
  t.is(world.collector.addresses.admin, address);
  t.is(await statusAt(address, '/status'), 200);
});

test('agents move over when the gRPC port is made anew, and what they count goes on', async (t) => {
  const world = await ReloadedCollector.start(t, { views: [fleet] });
  const { collector } = world;
  const { grpc: address } = collector.addresses;
  const source = new CountingSource();
  const jobs = source.add(counts);
  const agents = await Promise.all(
    ['a', 'b'].map((id) => startAgent(t, address, { id, sources: [source.definition()] })),
  );
  for (const agent of agents) await mergesAnew(collector, agent);
  jobs.value = 5;
  await until(() => world.point('fleet.done').value === 10, 'merged');
  const { startUs } = world.point('fleet.done');
  t.deepEqual(await world.reload({ grpc: { ...grpc, keepaliveTimeMs: 5000 } }), ['grpc.keepalive_time']);
  t.is(collector.addresses.grpc, address);
  for (let value = 6; value < 12; value++) {
    jobs.value = value;
    await until(() => world.point('fleet.done').value === 2 * value, 'it goes on');
    t.is(world.point('fleet.done').startUs, startUs);
  }
  const sessions = () => collector.agents().map(({ session }) => session);
  await until(() => !sessions().some((one) => one === 's1' || one === 's2' || one === null), 'new streams');
  t.is(collector.figures().agents, 2);
});

interface Bad {
  readonly title: string;
  readonly change: (t: ExecutionContext) => Promise<Partial<CollectorConfig>>;
  readonly message: RegExp;
}

const bad: readonly Bad[] = [
  {
    title: 'a port in use',
    async change(t) {
      const taken = createServer().listen(0, '127.0.0.1');
      t.teardown(() => taken.close());
      await once(taken, 'listening');
      const { port } = taken.address() as { port: number };
      return {
        http: { ...http, port: await fixedPort() },
        grpc: { ...grpc, keepaliveTimeMs: 5000 },
        admin: { ...admin, port },
      };
    },
    message: /The admin server cannot listen on .*: another program listens there already/,
  },
  {
    title: 'a certificate that cannot be read',
    change: async () => ({
      grpc: {
        ...grpc,
        tls: {
          certFile: '/nowhere.crt',
          keyFile: '/nowhere.key',
          clientCaFile: undefined,
          minVersion: 'TLSv1.2',
          reloadIntervalMs: 1000,
        },
      },
    }),
    message: /nowhere\.crt: grpc\.tls\.cert_file: cannot be read: there is no such file/,
  },
  {
    title: 'a certificate of a reader that cannot be read',
    async change(t) {
      const sink = await startHttpSink();
      t.teardown(() => sink.stop());
      const reader = otlpReader('otlp_http', sink);
      const tls = { caFile: '/nowhere.ca' };
      return { readers: [{ ...reader, exporter: { ...reader.exporter, tls } } as typeof reader] };
    },
    message: /The TLS file \/nowhere\.ca of the reader otlp_http cannot be read/,
  },
  {
    title: 'a file of tokens that cannot be read',
    change: async () => ({
      auth: {
        clients: undefined,
        withoutToken: [],
        reloadIntervalMs: 1000,
        tokens: [
          {
            name: 'a',
            tokenFile: '/nowhere.token',
            permissions: ['read'],
            agents: ['*'],
            forced: [],
            forbidden: [],
          },
        ],
      },
    }),
    message: /nowhere\.token: auth\.tokens\[0\]\.token_file: cannot be read/,
  },
  {
    title: 'another data directory',
    change: async (t) => ({
      storage: { kind: 'directory', path: await folder(t), sync: { mode: 'always' }, gatherMs: 0 },
    }),
    message: /reload: streamgauge\.data_dir: found .* cannot be changed while the collector runs/,
  },
];

for (const { title, change, message } of bad)
  test(`what cannot be put in force changes nothing: ${title}`, async (t) => {
    const world = await ReloadedCollector.start(t, { views: [fleet] });
    const { collector } = world;
    const source = new CountingSource();
    const jobs = source.add(counts);
    const agent = await startAgent(t, collector.addresses.grpc, { id: 'a', sources: [source.definition()] });
    await mergesAnew(collector, agent);
    const before = collector.addresses;
    const next = { views: [], ...(await change(t)) };
    await t.throwsAsync(world.reload(next), { message });
    t.deepEqual(collector.addresses, before);
    t.is(await statusAt(before.http), 200);
    t.is(await statusAt(before.admin, '/status'), 200);
    const { fields } = world.said('the configuration cannot be used')!;
    t.regex(String(fields.problems), message);
    jobs.value = 5;
    await until(() => world.point('fleet.done').value === 5, 'it goes on');
    t.is(collector.agents()[0]!.session, 's1');
    // A second agent finds the port where it was.
    const other = await startAgent(t, before.grpc, { id: 'b', sources: [source.definition()] });
    await mergesAnew(collector, other);
    t.deepEqual(
      await world.reload({ stalenessMs: 60_000 }),
      ['streamgauge.staleness'],
      'and can be reloaded',
    );
  });

test('a loop is refused when the ports are known: new ones are closed again, and one that was made anew is what it was', async (t) => {
  const world = await ReloadedCollector.start(t, { views: [fleet] });
  const { collector } = world;
  const source = new CountingSource();
  const jobs = source.add(counts);
  const agent = await startAgent(t, collector.addresses.grpc, { id: 'a', sources: [source.definition()] });
  await mergesAnew(collector, agent);
  const port = await fixedPort();
  const sink = await startHttpSink();
  t.teardown(() => sink.stop());
  const reader = otlpReader('otlp_http', sink);
  const endpoint = `http://127.0.0.1:${port}/v1/metrics`;
  await t.throwsAsync(
    world.reload({
      grpc: { ...grpc, keepaliveTimeMs: 5000 },
      http: { ...http, port },
      readers: [{ ...reader, exporter: { ...reader.exporter, endpoint } } as typeof reader],
    }),
    { message: /sends to the http port of the collector itself/ },
  );
  t.is(await statusAt(`127.0.0.1:${port}`), 0);
  t.is(await statusAt(collector.addresses.http), 200);
  jobs.value = 5;
  await until(() => world.point('fleet.done').value === 5, 'its stream goes on');
  const others = new CountingSource();
  const more = others.add(counts);
  const other = await startAgent(t, collector.addresses.grpc, { id: 'b', sources: [others.definition()] });
  await mergesAnew(collector, other);
  more.value = 2;
  await until(() => world.point('fleet.done').value === 7, 'another one may come');
});

test('tokens are asked for from a reload on, others are taken after another, and none are asked for after a third', async (t) => {
  const world = await ReloadedCollector.start(t);
  const { http: address } = world.collector.addresses;
  const directory = await folder(t);
  const auth = async (token: string): Promise<CollectorConfig['auth']> => {
    const tokenFile = path.join(directory, token);
    await writeFile(tokenFile, `${token.repeat(4)}\n`);
    const grant = { name: token, permissions: ['read'] as const, agents: ['*'], forced: [], forbidden: [] };
    return {
      clients: undefined,
      withoutToken: ['admin'],
      reloadIntervalMs: 60_000,
      tokens: [{ ...grant, tokenFile }],
    };
  };
  const metrics = (token?: string) =>
    statusAt(address, '/metrics', token === undefined ? {} : { authorization: `Bearer ${token.repeat(4)}` });
  t.is(await metrics(), 200);
  await world.reload({ auth: await auth('first') });
  t.deepEqual([await metrics(), await metrics('first'), await metrics('second')], [401, 200, 401]);
  await world.reload({ auth: await auth('second') });
  t.deepEqual([await metrics(), await metrics('first'), await metrics('second')], [401, 401, 200]);
  await world.reload({ auth: collectorConfig().auth });
  t.is(await metrics(), 200);
});

test("the collector's own resource changes with what readers are told from then on", async (t) => {
  const sink = await startHttpSink();
  t.teardown(() => sink.stop());
  const world = await ReloadedCollector.start(t, { readers: [otlpReader('otlp_http', sink)] });
  const of = (name: string) =>
    sink.points.filter(
      ({ name: one, resource }) =>
        one === 'streamgauge.collector.export.collection.done' && resource['service.name'] === name,
    );
  await until(() => Number(of('streamgauge-collector').at(-1)?.value ?? 0) >= 2, 'two collections');
  await world.reload({ resource: { attributes: [['service.name', 'mine']], schemaUrl: '' } });
  await until(() => of('mine').length > 0, 'under its new name');
  const [first] = of('mine');
  t.true(Number(first!.value) >= 2);
  // Whenever it is read first, the counter began with the process.
  t.is(first!.start, of('streamgauge-collector')[0]!.start);
});
