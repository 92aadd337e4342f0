import { connect, createServer, type Socket } from 'node:net';
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { decodeExportRequest, encodeExportResponse, exportMethod } from './export-request.ts';
import type { Fault } from './fault-plan.ts';
import { type Listen, OtlpSink, type SinkOptions } from './otlp-sink.ts';

const identity = (bytes: Buffer): Buffer => bytes;

/** An OTLP/gRPC sink that listens. */
export function startGrpcSink(options: SinkOptions = {}): Promise<OtlpSink> {
  return new OtlpSink(listen, options).start();
}

/** A google.rpc.Status with a RetryInfo, by hand. */
export function statusWithRetryInfo(code: number, message: string, delayMs: number): Buffer {
  const field = (number: number, bytes: Buffer): Buffer =>
    Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
  const seconds = Math.floor(delayMs / 1000);
  const nanos = Math.round((delayMs - seconds * 1000) * 1e6);
  const varint = (value: number): number[] =>
    value < 0x80 ? [value] : [(value % 0x80) | 0x80, ...varint(Math.floor(value / 0x80))];
  const duration = Buffer.from([0x08, ...varint(seconds), 0x10, ...varint(nanos)]);
  const any = Buffer.concat([
    field(1, Buffer.from('type.googleapis.com/google.rpc.RetryInfo')),
    field(2, field(1, duration)),
  ]);
  return Buffer.concat([Buffer.from([0x08, code]), field(2, Buffer.from(message)), field(3, any)]);
}

/** grpc-js gives no hold of its sockets, so connections come through a relay, which can cut them. */
const listen: Listen = async (port, receive) => {
  const sockets = new Set<Socket>();
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const server = new Server({ 'grpc.max_receive_message_length': 64 * 1024 * 1024 });
  const handle = (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>): void => {
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(call.metadata.getMap())) headers[name] = String(value);
    let fault: Fault;
    try {
      fault = receive(decodeExportRequest(call.request), call.request, headers);
    } catch (error) {
      done({ code: status.INVALID_ARGUMENT, details: String(error) });
      return;
    }
    answer(fault, done, cut);
  };
  server.addService(
    {
      export: {
        path: exportMethod().path,
        requestStream: false,
        responseStream: false,
        requestSerialize: identity,
        requestDeserialize: identity,
        responseSerialize: identity,
        responseDeserialize: identity,
      },
    },
    { export: handle },
  );
  const innerPort = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  let bytesIn = 0;
  const relay = createServer((outer) => {
    outer.on('data', (chunk) => {
      bytesIn += chunk.length;
    });
    const inner = connect(innerPort, '127.0.0.1');
    for (const [one, other] of [
      [outer, inner],
      [inner, outer],
    ] as const) {
      sockets.add(one);
      one.setNoDelay(true);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve, reject) => {
    relay.once('error', reject);
    relay.listen(port, '127.0.0.1', resolve);
  });
  const address = relay.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    bytesIn: () => bytesIn,
    close: () =>
      new Promise<void>((resolve) => {
        relay.close(() => resolve());
        cut();
        server.forceShutdown();
      }),
  };
};

function answer(fault: Fault, done: sendUnaryData<Buffer>, cut: () => void): void {
  if (fault === 'hang') return;
  if (fault === 'close') {
    cut();
  } else if (fault === 'ok') {
    done(null, encodeExportResponse({}));
  } else if (fault === 'garbage') {
    done(null, Buffer.from([0xff, 0xff, 0xff]));
  } else if (fault === 'unavailable') {
    done({ code: status.UNAVAILABLE, details: 'on schedule' });
  } else if (fault === 'invalid') {
    done({ code: status.INVALID_ARGUMENT, details: 'on schedule' });
  } else if ('lateMs' in fault) {
    setTimeout(() => done(null, encodeExportResponse({})), fault.lateMs).unref();
  } else if ('throttleMs' in fault) {
    const metadata = new Metadata();
    const details = statusWithRetryInfo(status.RESOURCE_EXHAUSTED, 'slow down', fault.throttleMs);
    metadata.set('grpc-status-details-bin', details);
    done({ code: status.RESOURCE_EXHAUSTED, details: 'slow down', metadata });
  } else {
    const partialSuccess = { rejectedDataPoints: fault.rejected, errorMessage: fault.message };
    done(null, encodeExportResponse({ partialSuccess }));
  }
}
