import { connect } from 'node:http2';
import test from 'ava';
import { receiveWindowBytes } from '../../../collector/receivers/receive-window.ts';
import { until } from '../../interop/until.ts';
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
