import { hostname } from 'node:os';
import test from 'ava';
import { environmentConfig } from '../../../collector/config/environment.ts';
import { readerLoops, refuseReaderLoops } from '../../../collector/config/reader-loops.ts';
import { ConfigError } from '../../../otel/config/config-error.ts';

const readersFor = (endpoint: string) =>
  environmentConfig({ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: endpoint }).readers;

const loops = test.macro({
  exec(t, listening: string, endpoint: string, expected: boolean) {
    const listeners = [
      { name: 'admin', host: '127.0.0.1', port: 0 },
      { name: 'grpc', host: listening, port: 5000 },
    ];
    t.is(readerLoops(readersFor(endpoint), listeners).length === 1, expected);
  },
  title: (_, listening, endpoint, expected) =>
    `listening on ${listening}, ${endpoint} is ${expected ? 'a loop' : 'somebody else'}`,
});

test(loops, '127.0.0.1', 'http://127.0.0.1:5000', true);
test(loops, '127.0.0.1', 'http://localhost:5000', true);
test(loops, '127.0.0.1', 'https://LOCALHOST:5000', true);
test(loops, '127.0.0.1', 'http://0.0.0.0:5000', true);
test(loops, '::1', 'http://[::1]:5000/v1/metrics', true);
test(loops, 'localhost', 'http://127.0.0.1:5000', true);
test(loops, '0.0.0.0', `http://127.8.8.8:5000`, true);
test(loops, '::', `http://${hostname()}:5000`, true);
test(loops, '127.0.0.1', 'http://127.0.0.1:5001', false);
test(loops, '127.0.0.1', 'http://127.0.0.2:5000', false);
test(loops, '127.0.0.1', 'http://backend:5000', false);
test(loops, '0.0.0.0', 'http://192.0.2.1:5000', false);
test(loops, '127.0.0.1', 'http://127.0.0.1', false);

test('a loop found with the bound ports is refused by name', (t) => {
  const listeners = [{ name: 'http', host: '127.0.0.1', port: 41234 }];
  t.notThrows(() => refuseReaderLoops(readersFor('http://127.0.0.1:41235'), listeners));
  const error = t.throws(() => refuseReaderLoops(readersFor('http://127.0.0.1:41234'), listeners), {
    instanceOf: ConfigError,
  });
  t.is(
    error.message,
    'reader otlp_http: sends to the http port of the collector itself (127.0.0.1:41234), a loop; allowed: the endpoint of another backend',
  );
});
