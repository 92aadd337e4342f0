import { request } from 'node:http';
import { deflateSync, gzipSync } from 'node:zlib';
import { field, nested, varint } from './agent-messages.ts';
import type { Attack, Attacked } from './attack.ts';
import { GrpcClient, grpcFrame } from './grpc-peer.ts';
import { randomBytesOf } from './random-bytes.ts';

// What breaks OTLP, over HTTP in both codings and over gRPC.

const mib = 1024 * 1024;
const protobuf = { 'content-type': 'application/x-protobuf' };
const json = { 'content-type': 'application/json' };
const gzip = { 'content-encoding': 'gzip' };

/** Sends OTLP over HTTP. The status of the answer, with `in part` where points were rejected; what a bug says never stands in one. */
export function post(
  { victim, address }: Attacked,
  headers: Readonly<Record<string, string>>,
  body: string | Uint8Array,
): Promise<string> {
  return new Promise((resolve) => {
    const call = request(
      {
        port: victim.port('http'),
        host: '127.0.0.1',
        localAddress: address,
        path: '/v1/metrics',
        method: 'POST',
        headers: { host: 'localhost', ...headers },
        agent: false,
      },
      (response) => {
        let text = '';
        response.on('data', (part) => {
          text += part;
        });
        response.on('close', () => {
          const said = / is nested more than | is allowed/.test(text) ? ' in part' : '';
          resolve(
            / at .*\.ts:\d+/.test(text)
              ? text
              : `${response.statusCode}${response.statusCode === 200 ? said : ''}`,
          );
        });
      },
    );
    call.on('error', () => resolve('closed'));
    call.end(body);
  });
}

function row(
  title: string,
  headers: Readonly<Record<string, string>>,
  body: () => string | Uint8Array,
  answer: string | RegExp,
): Attack {
  return {
    title: `OTLP: ${title}`,
    ports: ['http'],
    run: (attacked) => post(attacked, headers, body()),
    answer,
  };
}

function grpc(
  title: string,
  messages: readonly Buffer[],
  answer: RegExp,
  fields: Readonly<Record<string, string>> = {},
): Attack {
  return {
    title: `OTLP: ${title}`,
    ports: ['grpc'],
    async run({ victim, address }) {
      const client = new GrpcClient(victim.port('grpc'), address);
      try {
        const path = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export';
        const peer = client.open({ ':path': path, ...fields });
        for (const message of messages) peer.bytes(message);
        peer.stream.end();
        return await peer.end();
      } finally {
        client.destroy();
      }
    },
    answer,
  };
}

/** A metric with this body, in a request. Its number says which kind it is: 5 gauge, 7 sum, 9 histogram, 11 summary. */
function metricOf(kind: number, point: Uint8Array, name: Uint8Array = Buffer.from('bad')): Buffer {
  const metric = Buffer.concat([field(1, name), field(kind, field(1, point))]);
  return field(1, field(2, field(2, metric)));
}

/** A request with a gauge, whose resource has one attribute with this value. */
const resourceOf = (value: Uint8Array): Buffer => {
  const attribute = Buffer.concat([field(1, Buffer.from('k')), field(2, value)]);
  const point = Buffer.concat([varint(6 * 8 + 1), Buffer.alloc(8)]);
  const metric = Buffer.concat([field(1, Buffer.from('bad')), field(5, field(1, point))]);
  return field(1, Buffer.concat([field(1, field(1, attribute)), field(2, field(2, metric))]));
};

const deep = resourceOf(nested([5, 1], 5000));
const refused = /^(200( in part)?|400)$/;

export const otlpAttacks: readonly Attack[] = [
  row('bytes that are no request', protobuf, () => randomBytesOf(3, 5000), '400'),
  row('values nested to ten thousand levels', protobuf, () => deep, '200 in part'),
  row(
    'lists nested to ten thousand levels',
    protobuf,
    () => resourceOf(nested([6, 1, 2], 3300)),
    '200 in part',
  ),
  row('a length field that lies', protobuf, () => field(1, Buffer.alloc(10), 2 ** 31), '400'),
  row('a varint without an end', protobuf, () => Buffer.alloc(100, 0x80), '400'),
  row(
    'a packed field that is no multiple of its values',
    protobuf,
    () => metricOf(9, field(6, Buffer.alloc(11))),
    refused,
  ),
  row(
    'more buckets than bounds',
    protobuf,
    () => metricOf(9, Buffer.concat([field(6, Buffer.alloc(80)), field(7, Buffer.alloc(8))])),
    refused,
  ),
  row(
    'a name that is no UTF-8',
    protobuf,
    () => metricOf(5, field(7, Buffer.alloc(0)), Buffer.from([0xc0, 0xaf])),
    refused,
  ),
  row(
    'a name with escapes and markup',
    protobuf,
    () => metricOf(5, Buffer.concat([varint(6 * 8 + 1), Buffer.alloc(8)]), Buffer.from('<b>\u001b[2J')),
    refused,
  ),
  row('JSON that is none', json, () => '{"resourceMetrics":[', '400'),
  row('JSON of wrong types', json, () => '{"resourceMetrics":{"0":5}}', '400'),
  row(
    'JSON with a text for a resource',
    json,
    () => '{"resourceMetrics":[{"resource":"x","scopeMetrics":7}]}',
    '400',
  ),
  row(
    'JSON nested to a hundred thousand levels',
    json,
    () => `{"resourceMetrics":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
    '400',
  ),
  row(
    'JSON values nested to ten thousand levels',
    json,
    () => {
      const value = `${'{"arrayValue":{"values":['.repeat(10_000)}{}${']}}'.repeat(10_000)}`;
      return `{"resourceMetrics":[{"resource":{"attributes":[{"key":"k","value":${value}}]},"scopeMetrics":[]}]}`;
    },
    '400',
  ),
  row(
    'JSON with names of Object',
    json,
    () =>
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"resourceMetrics":[{"__proto__":[],"resource":{"attributes":[{"key":"__proto__","value":{"stringValue":"x"}}]}}]}',
    refused,
  ),
  row(
    'JSON with a number that is none',
    json,
    () =>
      '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"a","gauge":{"dataPoints":[{"timeUnixNano":"x","asInt":"1e999"}]}}]}]}]}',
    '400',
  ),
  row('another content type', { 'content-type': 'text/html' }, () => '<b>', '415'),
  row('another content encoding', { ...protobuf, 'content-encoding': 'br' }, () => 'x', '415'),
  row('a gzip bomb', { ...protobuf, ...gzip }, () => gzipSync(Buffer.alloc(64 * mib)), '413'),
  row('gzip that is none', { ...protobuf, ...gzip }, () => randomBytesOf(4, 1000), '400'),
  row(
    'deflate that breaks off',
    { ...protobuf, 'content-encoding': 'deflate' },
    () => deflateSync(Buffer.alloc(1000)).subarray(0, 8),
    '400',
  ),
  row('a body larger than allowed', protobuf, () => Buffer.alloc(5 * mib), /^(413|closed)$/),
  grpc('bytes that are no request', [grpcFrame(randomBytesOf(5, 3000))], /^3 /),
  grpc('values nested to ten thousand levels, refused in part', [grpcFrame(deep)], /^0 /),
  grpc('a second request', [grpcFrame(Buffer.alloc(0)), grpcFrame(Buffer.alloc(0))], /^3 /),
  grpc('no request', [], /^3 /),
  grpc('half a request', [grpcFrame(Buffer.alloc(10), false, 100)], /^3 /),
  grpc('a gzip bomb', [grpcFrame(gzipSync(Buffer.alloc(64 * mib)), true)], /^8 /, {
    'grpc-encoding': 'gzip',
  }),
];
