import { request } from 'node:http';
import type { ExecutionContext } from 'ava';
import { HttpListener, type HttpListenerOptions } from '../../../collector/http/http-listener.ts';

/** A listener on a free loopback port, ended with the test, and what it said of failures. */
export async function startListener(t: ExecutionContext, options: Partial<HttpListenerOptions> = {}) {
  const failures: { message: string; path: string }[] = [];
  const listener = new HttpListener({
    name: 'test',
    host: '127.0.0.1',
    port: 0,
    portSetting: '--test-port',
    routes: [],
    onFailure: ({ message }, path) => failures.push({ message, path }),
    ...options,
  });
  t.teardown(() => listener.stop());
  await listener.start();
  return { listener, failures, ask: asker(listener) };
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  readonly text: string;
}

/** Sends requests to a listener, each on a connection of its own. */
export function asker(listener: HttpListener) {
  return (path: string, options: { method?: string; headers?: Record<string, string>; body?: string } = {}) =>
    new Promise<Reply>((resolve, reject) => {
      const { method = 'GET', headers = {} } = options;
      const call = request(
        { port: listener.port, host: '127.0.0.1', path, method, headers, agent: false },
        (response) => {
          const parts: Buffer[] = [];
          response.on('data', (part: Buffer) => parts.push(part));
          response.on('error', reject);
          response.on('end', () => {
            const body = Buffer.concat(parts);
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body,
              text: body.toString(),
            });
          });
        },
      );
      call.on('error', reject);
      call.end(options.body);
    });
}
