import { Server, ServerCredentials } from '@grpc/grpc-js';
import test from 'ava';
import { http2ServersOf } from '../../../collector/receivers/http2-servers.ts';
import { startReceiver } from './receiver.ts';

test('a bound gRPC server shows an HTTP/2 server for each address', async (t) => {
  const server = new Server();
  t.teardown(() => server.forceShutdown());
  t.deepEqual(http2ServersOf(server), []);
  const ports: number[] = [];
  for (let i = 0; i < 2; i++)
    ports.push(
      await new Promise<number>((resolve, reject) => {
        server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
          error === null ? resolve(port) : reject(error),
        );
      }),
    );
  const found = http2ServersOf(server).map((http2Server) => http2Server.address());
  t.deepEqual(
    found.map((address) => (typeof address === 'object' ? address?.port : address)),
    ports,
  );
});

test('a server that holds something else inside shows none', (t) => {
  for (const inside of [undefined, {}, new Map([[{}, {}]]), new Map([[undefined, {}]])])
    t.deepEqual(http2ServersOf({ http2Servers: inside } as unknown as Server), []);
});

test('a receiver whose gRPC server shows none says so', async (t) => {
  const { bugs } = await startReceiver(t, { isGrpcJs: true });
  t.regex(String(bugs[0]), /grpc-js does not show its HTTP\/2 servers/);
  t.deepEqual((await startReceiver(t)).bugs, []);
});
