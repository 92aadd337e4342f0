import test from 'ava';
import { type ExpositionFormat, negotiateFormat } from '../../../otel/prometheus/negotiate.ts';

const negotiates = test.macro({
  exec: (t, accept: string | undefined, expected: ExpositionFormat) =>
    t.is(negotiateFormat(accept), expected),
  title: (_, accept, expected) => `Accept: ${accept} gives ${expected}`,
});

test(negotiates, undefined, 'text');
test(negotiates, '', 'text');
test(negotiates, '*/*', 'text');
test(negotiates, 'text/html,application/xhtml+xml,*/*;q=0.8', 'text');
test(negotiates, 'application/openmetrics-text', 'openmetrics');
test(
  negotiates,
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
  'openmetrics',
);
test(
  negotiates,
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
  'openmetrics',
);
test(negotiates, 'text/plain, application/openmetrics-text;q=0.9', 'text');
test(negotiates, 'application/openmetrics-text;q=0', 'text');
test(negotiates, 'application/openmetrics-text;version=2.0.0', 'text');
test(negotiates, 'application/openmetrics-text;q=nonsense, text/plain;q=0.1', 'text');
test('a header with very many ranges is read up to a limit', (t) => {
  t.is(negotiateFormat(`${'a/b,'.repeat(5000)}application/openmetrics-text`), 'text');
});
