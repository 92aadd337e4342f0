import test from 'ava';
import { otlpGrpcSender } from '../../otel/export/otlp-grpc.ts';
import { otlpHttpSender } from '../../otel/export/otlp-http.ts';
import type { RequestSender } from '../../otel/export/request-sender.ts';
import { type EncodeOptions, encodeRequests } from '../../otel/otlp/encode-requests.ts';
import { TcpProxy } from '../proxy/tcp-proxy.ts';
import type { Otelcol } from './otelcol/otelcol.ts';
import { otelcolWithSink } from './otelcol/otelcol-with-sink.ts';
import { expectedRows, receivedRows } from './rows.ts';
import { collectionOf, everyKind, manyCounters, type PlainStream } from './synthetic-collection.ts';

const protocols = ['grpc', 'http'] as const;
const compressions = ['none', 'gzip'] as const;

type Protocol = (typeof protocols)[number];

function senderTo(protocol: Protocol, port: number, compression: 'none' | 'gzip' = 'none'): RequestSender {
  return protocol === 'grpc'
    ? otlpGrpcSender({ endpoint: `http://127.0.0.1:${port}`, compression })
    : otlpHttpSender({ endpoint: `http://127.0.0.1:${port}/v1/metrics`, compression });
}

function portOf(otelcol: Otelcol, protocol: Protocol): number {
  return protocol === 'grpc' ? otelcol.grpcPort : otelcol.httpPort;
}

/** Encodes and sends; gives the results, of which each must be a plain success. */
async function send(sender: RequestSender, streams: readonly PlainStream[], options: EncodeOptions = {}) {
  const results = [];
  for (const { bytes } of encodeRequests(collectionOf(streams, 0), options)) {
    results.push(await sender.send(bytes, AbortSignal.timeout(20_000)));
  }
  return results;
}

for (const protocol of protocols) {
  for (const compression of compressions) {
    test(`a real Collector takes every kind of point: ${protocol}, compression ${compression}`, async (t) => {
      const { otelcol, sink } = await otelcolWithSink(t);
      const proxy = new TcpProxy(portOf(otelcol, protocol));
      const sender = senderTo(protocol, await proxy.listen(), compression);
      t.teardown(async () => {
        sender.close();
        await proxy.close();
      });
      t.deepEqual(await send(sender, everyKind), [{ kind: 'success' }]);
      t.deepEqual(receivedRows(sink.requests), expectedRows(everyKind));
      const [{ bytes }] = encodeRequests(collectionOf(everyKind, 0));
      t.is(proxy.bytesUp < bytes.length, compression === 'gzip');
    });
  }
}

test('a real Collector takes a collection that is split into many requests', async (t) => {
  const { otelcol, sink } = await otelcolWithSink(t);
  const sender = senderTo('grpc', otelcol.grpcPort, 'gzip');
  t.teardown(() => sender.close());
  const streams = manyCounters(2000);
  const results = await send(sender, streams, { maxBytes: 16 * 1024 });
  t.true(results.length > 4);
  t.true(results.every(({ kind }) => kind === 'success'));
  t.deepEqual(receivedRows(sink.requests), expectedRows(streams));
});

for (const protocol of protocols) {
  test(`a Collector that was killed fails retryably, and takes the same bytes when it is back: ${protocol}`, async (t) => {
    const { otelcol, sink } = await otelcolWithSink(t);
    const sender = senderTo(protocol, portOf(otelcol, protocol));
    t.teardown(() => sender.close());
    const sum = everyKind.slice(0, 1);
    t.is((await send(sender, sum))[0].kind, 'success');
    await otelcol.kill();
    t.is((await send(sender, sum))[0].kind, 'retryable');
    t.is(sink.requests.length, 1);
    await otelcol.restart();
    // gRPC connects again in its own time, which starts at a second.
    const deadline = performance.now() + 15_000;
    let result = await send(sender, sum);
    while (result[0].kind !== 'success' && performance.now() < deadline) {
      t.is(result[0].kind, 'retryable');
      await new Promise((resolve) => setTimeout(resolve, 100));
      result = await send(sender, sum);
    }
    t.is(result[0].kind, 'success');
    t.deepEqual(receivedRows(sink.requests.slice(1)), expectedRows(sum));
  });
}
