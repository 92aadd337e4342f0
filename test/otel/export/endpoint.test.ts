import test from 'ava';
import { EndpointError, grpcEndpoint, httpEndpoint, shownUrl } from '../../../otel/export/endpoint.ts';

const grpc = test.macro<[url: string, target: string, tls: boolean, insecure?: boolean]>({
  title: (_, url: string) => `gRPC endpoint ${url}`,
  exec(t, url, target, tls, insecure) {
    t.like(grpcEndpoint(url, insecure), { target, tls });
  },
});
test(grpc, 'http://localhost:4317', 'localhost:4317', false);
test(grpc, 'http://localhost:80/', 'localhost:80', false);
test(grpc, 'grpc://backend', 'backend:4317', false);
test(grpc, 'https://otlp.example.net', 'otlp.example.net:443', true);
test(grpc, 'https://otlp.example.net:443', 'otlp.example.net:443', true);
test(grpc, 'grpcs://[::1]:1', '[::1]:1', true);
test(grpc, 'backend:4317', 'backend:4317', true);
test(grpc, ' backend.local:4317', 'backend.local:4317', false, true);

for (const url of [
  '',
  'ftp://x:1',
  'http://',
  'http://x:1/path',
  'http://x:99999',
  'x y',
  'http://user:secret@x:1',
]) {
  test(`no gRPC endpoint: ${JSON.stringify(url)}`, (t) => {
    const error = t.throws(() => grpcEndpoint(url), { instanceOf: EndpointError });
    t.false(error?.message.includes('secret'));
  });
}

const http = test.macro({
  title: (_, url: string) => `HTTP endpoint ${url}`,
  exec(t, url: string, expected: string) {
    t.is(httpEndpoint(url).href, expected);
  },
});
test(http, 'http://localhost:4318', 'http://localhost:4318/v1/metrics');
test(http, 'http://localhost:4318/', 'http://localhost:4318/v1/metrics');
test(http, 'https://example.net/otlp/v1/metrics', 'https://example.net/otlp/v1/metrics');

for (const url of ['', 'localhost:4318', 'grpc://x:1', 'http://user:secret@x:1/']) {
  test(`no HTTP endpoint: ${JSON.stringify(url)}`, (t) => {
    const error = t.throws(() => httpEndpoint(url), { instanceOf: EndpointError });
    t.false(error?.message.includes('secret'));
  });
}

test('what is shown of a URL holds no secrets', (t) => {
  t.is(
    shownUrl('https://user:secret@example.net/v1/metrics?key=secret#secret'),
    'https://example.net/v1/metrics',
  );
});
