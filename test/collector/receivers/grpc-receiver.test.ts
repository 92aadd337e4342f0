import { randomBytes } from 'node:crypto';
import { connect as connectSocket } from 'node:net';
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import test from 'ava';
import { loadProto } from '../../../proto/load.ts';
import { sameBytes } from '../../../proto/service.ts';
import { counter, SyntheticAgent } from '../../agents/synthetic-agent.ts';
import { until } from '../../interop/until.ts';
import { startReceiver } from './receiver.ts';

const jobs = counter('jobs');

/** A unary call with bytes, to services that are not ours. */
function call(target: string, path: string, request: Buffer): Promise<Buffer> {
  const client = new Client(target, credentials.createInsecure());
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, sameBytes, sameBytes, request, (error, answer) => {
      client.close();
      if (error === null) resolve(answer!);
      else reject(error);
    });
  });
}

/** HealthCheckRequest{service}, and the status of HealthCheckResponse. */
async function health(target: string, service: string): Promise<number> {
  const name = Buffer.from(service);
  const request = Buffer.concat([Buffer.from([0x0a, name.length]), name]);
  return (await call(target, '/grpc.health.v1.Health/Check', request))[1];
}

const serving = 1;
const notServing = 2;

test('an agent is welcomed, its reports are merged and acknowledged, and goodbye ends with OK', async (t) => {
  const { core, target, bugs } = await startReceiver(t);
  const agent = new SyntheticAgent({ memberId: 'm' });
  t.teardown(() => agent.cut());
  await agent.connect(target);
  agent.define([{ metric: jobs, epoch: 'e', beganUs: 1 }]);
  for (const value of [1, 2, 3]) await agent.sums(value);
  t.deepEqual(core.values('jobs'), [3]);
  t.is(core.counters.reports, 3);
  agent.goodbye();
  await agent.until(() => agent.ended !== undefined, 'the end');
  t.is(agent.ended?.code, status.OK);
  t.is(core.sessions.size, 0);
  t.deepEqual(bugs, []);
});

test('no hello in time ends with DEADLINE_EXCEEDED', async (t) => {
  const { target, core } = await startReceiver(t, { helloDeadlineMs: 50 });
  const agent = new SyntheticAgent({ memberId: 'm' });
  t.teardown(() => agent.cut());
  agent.open(target);
  await agent.until(() => agent.ended !== undefined, 'the end');
  t.is(agent.ended?.code, status.DEADLINE_EXCEEDED);
  t.regex(agent.ended?.details ?? '', /no hello came within 50 ms/);
  t.is(core.counters.streamsEnded.deadline, 1);
});

test('hello in time keeps the stream', async (t) => {
  const { target } = await startReceiver(t, { helloDeadlineMs: 1000 });
  const agent = new SyntheticAgent({ memberId: 'm' });
  t.teardown(() => agent.cut());
  await agent.connect(target);
  agent.define([{ metric: jobs, epoch: 'e' }]);
  const started = performance.now();
  while (performance.now() - started < 1100) await agent.sums(1);
  t.is(agent.ended, undefined);
});

const ends = test.macro<[(agent: SyntheticAgent) => void, status, RegExp]>({
  async exec(t, act, code, details) {
    const { target, bugs, core } = await startReceiver(t);
    const agent = new SyntheticAgent({ memberId: 'm' });
    t.teardown(() => agent.cut());
    await agent.connect(target);
    act(agent);
    await agent.until(() => agent.ended !== undefined, 'the end');
    t.is(agent.ended?.code, code);
    t.regex(agent.ended?.details ?? '', details);
    t.is(core.sessions.size, 0);
    t.deepEqual(bugs, []);
  },
  title: (name) => `status: ${name}`,
});

test('undecodable bytes', ends, (a) => void a.write(Buffer.from('nonsense')), status.INVALID_ARGUMENT, /./);
test('hello twice', ends, (a) => a.hello(), status.INVALID_ARGUMENT, /hello came twice/);
test('half-close', ends, (a) => a.halfClose(), status.OK, /^OK$/);
test(
  'a message over the limit',
  ends,
  (a) => void a.write(Buffer.alloc(5 * 1024 * 1024)),
  status.RESOURCE_EXHAUSTED,
  /larger than max/,
);

test('takeover: the displaced stream is told of agent_id; a clone is turned away', async (t) => {
  const { target } = await startReceiver(t);
  const agents = [
    { bootId: 'boot', incarnation: randomBytes(16) },
    { bootId: 'boot', incarnation: randomBytes(16) },
    { bootId: 'another', incarnation: randomBytes(16) },
  ].map((options) => new SyntheticAgent({ memberId: 'm', ...options }));
  t.teardown(() => agents.forEach((agent) => void agent.cut()));
  const [first, restarted, clone] = agents;
  await first.connect(target);
  await restarted.connect(target);
  await first.until(() => first.ended !== undefined, 'the end');
  t.is(first.ended?.code, status.ALREADY_EXISTS);
  t.regex(first.ended?.details ?? '', /agent_id/);
  await t.throwsAsync(clone.connect(target), { message: new RegExp(`^${status.ALREADY_EXISTS} .*agent_id`) });
  t.is(restarted.ended, undefined);
});

test('a stream above max_streams is refused, and one that leaves makes room', async (t) => {
  const { target, core } = await startReceiver(t, { limits: { maxStreams: 1 } });
  const first = new SyntheticAgent({ memberId: 'a' });
  const second = new SyntheticAgent({ memberId: 'b' });
  t.teardown(() => [first, second].forEach((agent) => void agent.cut()));
  await first.connect(target);
  await t.throwsAsync(second.connect(target), {
    message: new RegExp(`^${status.RESOURCE_EXHAUSTED} .*grpc.limits.max_streams`),
  });
  first.cut();
  await until(() => core.sessions.size === 0, 'the first to be gone');
  const third = new SyntheticAgent({ memberId: 'c' });
  t.teardown(() => third.cut());
  await t.notThrowsAsync(third.connect(target));
});

test('health answers SERVING and, while draining, NOT_SERVING; a new stream is then UNAVAILABLE', async (t) => {
  const { target, receiver, core } = await startReceiver(t);
  const service = 'streamgauge.v1.TelemetryStream';
  t.is(await health(target, ''), serving);
  t.is(await health(target, service), serving);
  await t.throwsAsync(health(target, 'unknown'), { message: /NOT_FOUND/ });
  receiver.drain();
  await core.sessions.drain(0);
  t.is(await health(target, ''), notServing);
  t.is(await health(target, service), notServing);
  const late = new SyntheticAgent({ memberId: 'late' });
  t.teardown(() => late.cut());
  await t.throwsAsync(late.connect(target), { message: new RegExp(`^${status.UNAVAILABLE} .*again later`) });
});

/** What reflection lists, or the error. */
function listServices(target: string): Promise<string> {
  const client = new Client(target, credentials.createInsecure());
  const stream = client.makeBidiStreamRequest(
    '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
    sameBytes,
    sameBytes,
  );
  return new Promise((resolve, reject) => {
    stream.on('data', (answer: Buffer) => {
      resolve(answer.toString('latin1'));
      client.close();
    });
    stream.on('error', (error: ServiceError) => {
      reject(error);
      client.close();
    });
    // ServerReflectionRequest{list_services: ""}
    stream.end(Buffer.from([0x3a, 0]));
  });
}

test('reflection lists the service, and can be switched off', async (t) => {
  const on = await startReceiver(t);
  t.true((await listServices(on.target)).includes('streamgauge.v1.TelemetryStream'));
  const off = await startReceiver(t, { grpc: { reflection: false } });
  const error = await t.throwsAsync<ServiceError>(listServices(off.target));
  t.is(error?.code, status.UNIMPLEMENTED);
  t.truthy(loadProto('streamgauge/v1/telemetry_stream.proto'));
});

test('a port in use is told in one sentence, with the way out', async (t) => {
  const { target } = await startReceiver(t);
  const port = Number(target.split(':')[1]);
  await t.throwsAsync(startReceiver(t, { grpc: { port } }), {
    message: new RegExp(`${port}: another program listens there.*grpc.port`, 's'),
  });
});

test('stop is safe before start and when repeated', async (t) => {
  const { receiver } = await startReceiver(t);
  await receiver.stop();
  await receiver.stop();
  t.pass();
});

test('a connection that answers no ping is closed, and its stream with it', async (t) => {
  const { target, core } = await startReceiver(t, {
    grpc: { keepaliveTimeMs: 100, keepaliveTimeoutMs: 100 },
  });
  // A peer that opens a connection and a stream by hand, and then says nothing, not even to pings.
  const [host, port] = target.split(':');
  const socket = connectSocket(Number(port), host);
  t.teardown(() => socket.destroy());
  socket.on('error', () => {});
  let closed = false;
  socket.on('close', () => {
    closed = true;
  });
  socket.resume();
  const frame = (type: number, flags: number, streamId: number, payload: Buffer) =>
    Buffer.concat([
      Buffer.from([
        payload.length >> 16,
        payload.length >> 8,
        payload.length,
        type,
        flags,
        0,
        0,
        0,
        streamId,
      ]),
      payload,
    ]);
  const literal = (name: string, value: string) =>
    Buffer.concat([
      Buffer.from([0, name.length]),
      Buffer.from(name),
      Buffer.from([value.length]),
      Buffer.from(value),
    ]);
  const headers = Buffer.concat([
    literal(':method', 'POST'),
    literal(':scheme', 'http'),
    literal(':path', '/streamgauge.v1.TelemetryStream/Connect'),
    literal(':authority', 'x'),
    literal('content-type', 'application/grpc'),
    literal('te', 'trailers'),
  ]);
  socket.write(
    Buffer.concat([
      Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
      frame(4, 0, 0, Buffer.alloc(0)),
      frame(1, 4, 1, headers),
    ]),
  );
  await until(() => core.sessions.size === 1, 'the stream');
  await until(() => closed, 'the connection to be closed');
  await until(() => core.sessions.size === 0, 'the session to be gone');
  t.pass();
});
