import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { resetConnection } from './reset-connection.ts';

/** Both ends of a connection; the far one ends nothing by itself. */
async function connection(t: ExecutionContext): Promise<{ near: Socket; far: Socket }> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [[far]] = (await Promise.all([once(server, 'connection'), once(near, 'connect')])) as [
    [Socket],
    unknown,
  ];
  t.teardown(() => {
    near.destroy();
    far.destroy();
    server.close();
  });
  return { near, far };
}

test('a connection is reset', async (t) => {
  const { near, far } = await connection(t);
  near.write('a');
  resetConnection(near);
  far.resume();
  const [error] = (await once(far, 'error')) as [NodeJS.ErrnoException];
  t.is(error.code, 'ECONNRESET');
});

for (const [when, ended] of [
  ['its end is under way', () => Promise.resolve()],
  ['its end has been sent', (near: Socket) => once(near, 'finish')],
] as const)
  test(`a connection is closed when ${when}`, async (t) => {
    const { near } = await connection(t);
    const closed = once(near, 'close');
    const sent = ended(near);
    near.end();
    await sent;
    resetConnection(near);
    await closed;
    t.true(near.destroyed);
    t.is(near.errored, null);
  });
