import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An OTLP/HTTP backend that takes everything and looks at nothing, so that exports cost their sender only. */
export interface Swallow {
  readonly url: string;
  /** Bytes it has taken. */
  readonly bytes: number;
  readonly requests: number;
  stop(): void;
}

export async function startSwallow(): Promise<Swallow> {
  let bytes = 0;
  let requests = 0;
  const server = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    request.on('end', () => {
      requests++;
      // An empty ExportMetricsServiceResponse: everything was accepted.
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/metrics`,
    get bytes() {
      return bytes;
    },
    get requests() {
      return requests;
    },
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
