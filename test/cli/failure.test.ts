import { once } from 'node:events';
import { createServer } from 'node:net';
import test from 'ava';
import { failureText } from '../../cli/failure.ts';
import { ConfigError } from '../../otel/config/config-error.ts';
import { StreamgaugeError } from '../../proto/error.ts';

test('problems of a configuration stand by themselves', (t) => {
  t.is(failureText(ConfigError.of('a.yaml', 'wrong')), 'a.yaml: wrong\n');
});

test('what is no bug is one sentence without a stack', (t) => {
  t.is(failureText(new StreamgaugeError('config', 'Give a port.')), 'streamgauge: Give a port.\n');
  t.is(
    failureText(Object.assign(new Error('connect refused'), { code: 'ECONNREFUSED' })),
    'streamgauge: connect refused\n',
  );
});

test('a port in use says what to do', async (t) => {
  const first = createServer().listen(0, '127.0.0.1');
  await once(first, 'listening');
  const { port } = first.address() as { port: number };
  const second = createServer().listen(port, '127.0.0.1');
  const [error] = await once(second, 'error');
  first.close();
  t.is(
    failureText(error),
    `streamgauge: cannot listen on 127.0.0.1:${port}: another program listens there already: stop it, or choose another port.\n`,
  );
});

test('a bug shows its stack and asks for a report', (t) => {
  const text = failureText(new TypeError('x is not a function'));
  t.regex(text, /^TypeError: x is not a function\n {4}at /);
  t.regex(text, /\nstreamgauge: this is a bug\. Please report it with the lines above/);
  t.regex(failureText('thrown text'), /^thrown text\nstreamgauge: this is a bug/);
});
