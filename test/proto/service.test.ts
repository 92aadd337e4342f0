import { Client, credentials, Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import test from 'ava';
import { loadProto } from '../../proto/load.ts';
import { encodeAck } from '../../proto/messages/ack.ts';
import { decodeCollectorMessage } from '../../proto/messages/collector-message.ts';
import { connectPath, sameBytes, telemetryStreamService } from '../../proto/service.ts';

test('the path is that of the .proto', (t) => {
  const service = loadProto('streamgauge/v1/telemetry_stream.proto')['streamgauge.v1.TelemetryStream'];
  t.is((service as unknown as typeof telemetryStreamService).Connect.path, connectPath);
});

test('bytes pass through a server and a client as they are', async (t) => {
  const server = new Server();
  const received: Buffer[] = [];
  server.addService(telemetryStreamService, {
    Connect(call: ServerDuplexStream<Buffer, Buffer>) {
      call.on('data', (bytes: Buffer) => {
        received.push(bytes);
        call.write(encodeAck(received.length));
      });
      call.on('end', () => call.end());
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  try {
    const call = client.makeBidiStreamRequest(connectPath, sameBytes, sameBytes);
    call.write(Buffer.from([1, 2, 3]));
    call.end(Buffer.alloc(70_000, 5));
    const acks: unknown[] = [];
    for await (const bytes of call) acks.push(decodeCollectorMessage(bytes));
    t.deepEqual(received, [Buffer.from([1, 2, 3]), Buffer.alloc(70_000, 5)]);
    t.deepEqual(acks, [
      { type: 'ack', report: 1, position: undefined },
      { type: 'ack', report: 2, position: undefined },
    ]);
  } finally {
    client.close();
    server.forceShutdown();
  }
});
