import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import test from 'ava';
import { decodeAgentMessage } from '../../../proto/messages/agent-message.ts';
import { encodeCollectorMessage } from '../../../proto/messages/collector-message.ts';
import { isReport } from '../../../proto/report/read-report.ts';
import { until } from '../until.ts';
import { counter, uplinkRig } from './uplink-rig.ts';

interface Frame {
  readonly compressed: boolean;
  readonly bytes: Buffer;
}

/** A server that speaks gRPC's frames by hand, since grpc-js does not show them. */
async function frameServer(frames: Frame[]) {
  const server = http2.createServer();
  server.on('stream', (stream) => {
    stream.respond({
      ':status': 200,
      'content-type': 'application/grpc+proto',
      'grpc-accept-encoding': 'identity,deflate,gzip',
    });
    let rest = Buffer.alloc(0);
    stream.on('error', () => {});
    stream.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
        const end = 5 + rest.readUInt32BE(1);
        frames.push({ compressed: rest[0] === 1, bytes: Buffer.from(rest.subarray(5, end)) });
        rest = rest.subarray(end);
        if (frames.length === 1) stream.write(welcome());
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { address: `127.0.0.1:${port}`, [Symbol.asyncDispose]: async () => void server.close() };
}

function welcome(): Buffer {
  const bytes = encodeCollectorMessage({
    type: 'welcome',
    session: 's',
    lastReport: 0,
    durability: 'memory',
    limits: { maxMessageBytes: 0, maxSeries: 0, maxAttributes: 0, maxAttributeBytes: 0 },
    clockUs: 0,
    instructions: [],
    protocolVersion: 1,
    capabilities: [],
    position: undefined,
  });
  const head = Buffer.alloc(5);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

test('Define is compressed, reports are not', async (t) => {
  const frames: Frame[] = [];
  await using server = await frameServer(frames);
  await using rig = uplinkRig(server.address);
  for (let i = 0; i < 50; i++) rig.group.set(rig.group.define(counter(`metric ${i}`)), i * 1e9);
  rig.uplink.start();
  rig.tick();
  await until('the report came', () => frames.length >= 3);
  const [, define, report] = frames;
  t.true(define!.compressed);
  const message = decodeAgentMessage(gunzipSync(define!.bytes));
  t.is(message.type === 'define' && message.series.length, 50);
  t.true(define!.bytes.length < gunzipSync(define!.bytes).length / 3);
  t.false(report!.compressed);
  t.true(isReport(report!.bytes));
});
