import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { decodeExportRequest, encodeExportResponse } from './export-request.ts';
import type { Fault } from './fault-plan.ts';
import { parseOtlpJson } from './otlp-json.ts';
import { type Listen, OtlpSink, type SinkOptions } from './otlp-sink.ts';

/** An OTLP/HTTP sink that listens on `/v1/metrics`: protobuf and JSON, plain and gzip. */
export function startHttpSink(options: SinkOptions = {}): Promise<OtlpSink> {
  return new OtlpSink(listen, options).start();
}

const listen: Listen = async (port, receive) => {
  const server = createServer((request, response) => {
    read(request).then(
      (body) => {
        const isJson = request.headers['content-type']?.startsWith('application/json') ?? false;
        if (request.method !== 'POST' || request.url !== '/v1/metrics') {
          response.writeHead(404, { 'content-type': 'text/plain' }).end('this sink has /v1/metrics only');
          return;
        }
        let fault: Fault;
        try {
          const bytes = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
          const decoded = isJson ? parseOtlpJson(bytes.toString()) : decodeExportRequest(bytes);
          const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)]);
          fault = receive(decoded, bytes, Object.fromEntries(headers));
        } catch (error) {
          response.writeHead(400, { 'content-type': 'text/plain' }).end(String(error));
          return;
        }
        answer(fault, isJson, response);
      },
      () => response.destroy(),
    );
  });
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    bytesIn: () => [...sockets].reduce((sum, socket) => sum + socket.bytesRead, 0),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

async function read(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function answer(fault: Fault, isJson: boolean, response: ServerResponse): void {
  const type = { 'content-type': isJson ? 'application/json' : 'application/x-protobuf' };
  const text = { 'content-type': 'text/plain' };
  if (fault === 'hang') return;
  if (fault === 'close') {
    response.socket?.destroy();
  } else if (fault === 'ok') {
    response.writeHead(200, type).end(isJson ? '{}' : encodeExportResponse({}));
  } else if (fault === 'garbage') {
    response.writeHead(200, type).end(Buffer.from([0xff, 0xff, 0xff]));
  } else if (fault === 'unavailable') {
    response.writeHead(503, text).end('on schedule');
  } else if (fault === 'invalid') {
    response.writeHead(400, text).end('on schedule');
  } else if ('lateMs' in fault) {
    setTimeout(() => answer('ok', isJson, response), fault.lateMs).unref();
  } else if ('throttleMs' in fault) {
    const seconds = Math.ceil(fault.throttleMs / 1000);
    response.writeHead(429, { ...text, 'retry-after': String(seconds) }).end('slow down');
  } else {
    const partialSuccess = { rejectedDataPoints: fault.rejected, errorMessage: fault.message };
    const body = isJson ? JSON.stringify({ partialSuccess }) : encodeExportResponse({ partialSuccess });
    response.writeHead(200, type).end(body);
  }
}
