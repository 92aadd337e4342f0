import test from 'ava';
import { redactor } from '../../../otel/export/redact.ts';

test('values of headers are taken out, whole and in part', (t) => {
  const redact = redactor({ authorization: 'Bearer abcdef', 'x-key': 'k1k2k3' });
  t.is(redact('got Bearer abcdef and k1k2k3, not abcdef'), 'got [redacted] and [redacted], not [redacted]');
});

test('short values of headers do not tear texts apart', (t) => {
  t.is(redactor({ 'x-tenant': 'a' })('a message'), 'a message');
});

test('control characters and endless texts do not reach the log', (t) => {
  const redact = redactor({});
  t.is(redact('a\u001b[31m\r\nb'), 'a [31m b');
  t.is(redact('x'.repeat(100_000)).length, 512);
});
