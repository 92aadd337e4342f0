import { connect } from 'node:http2';
import test from 'ava';
import { receiveWindowBytes } from '../../../collector/receivers/receive-window.ts';
import { ByteWriter } from '../../../proto/columns/byte-writer.ts';
import { until } from '../../interop/until.ts';
import { TcpProxy } from '../../proxy/tcp-proxy.ts';
import { framed, Http2Peer, helloBytes } from './http2-peer.ts';
import { startReceiver } from './receiver.ts';

test('connections and their streams may send four megabytes ahead', async (t) => {
  const { target } = await startReceiver(t);
  const client = connect(`http://${target}`);
  t.teardown(() => client.destroy());
  // What HTTP/2 gives without asking is 65,535 for both.
  await until(
    () => client.remoteSettings?.initialWindowSize === receiveWindowBytes,
    'the setting of the window of streams',
  );
  await until(
    () => (client.state.remoteWindowSize ?? 0) >= receiveWindowBytes,
    'the window of the connection',
  );
  t.is(client.remoteSettings.initialWindowSize, 4 * 1024 * 1024);
});

/** A report with its number, no groups, and so many bytes in a field that nobody knows. */
function paddedReport(number: number, bytes: number): Buffer {
  const writer = new ByteWriter(bytes + 32);
  writer.byte(0x38);
  writer.byte(number);
  writer.byte(0x7a);
  writer.varint(bytes);
  const head = Buffer.from(writer.bytes.subarray(0, writer.length));
  return Buffer.concat([head, Buffer.alloc(bytes)]);
}

// 20 MiB/s at a round trip of 40 ms is 0.8 MiB in each. With ten times the way and the same bytes in each round trip it hangs on the
// windows alone, not on how fast the machine is. With HTTP/2's own window, these bytes take fifty round trips.
test('one stream carries what 20 MiB/s at a round trip of 40 ms are', async (t) => {
  const roundTripMs = 400;
  const reports = 16;
  const reportBytes = 0.2 * 1024 * 1024;
  const allowedMs = ((reports * reportBytes) / (0.8 * 1024 * 1024)) * roundTripMs;
  const { core, target, bugs } = await startReceiver(t);
  const proxy = new TcpProxy(Number(target.split(':')[1]));
  proxy.delayMs = roundTripMs / 2;
  const port = await proxy.listen();
  t.teardown(() => proxy.close());
  const peer = new Http2Peer(t, `127.0.0.1:${port}`).read();
  peer.stream.write(framed(helloBytes()));
  await until(() => peer.received > 0, 'the welcome');
  const began = performance.now();
  for (let number = 1; number <= reports; number++)
    peer.stream.write(framed(paddedReport(number, Math.floor(reportBytes))));
  await until(() => core.counters.reports === reports, 'the reports');
  const tookMs = performance.now() - began;
  t.true(tookMs < allowedMs, `${tookMs.toFixed(0)} ms of ${allowedMs.toFixed(0)}`);
  t.log(`${(tookMs / roundTripMs).toFixed(1)} round trips`);
  t.deepEqual(bugs, []);
});
