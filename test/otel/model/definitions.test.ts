import test from 'ava';
import { attributes } from '../../../otel/model/attributes.ts';
import {
  maxExplicitBounds,
  metricFromDefinition,
  metricToDefinition,
  resourceFromDefinition,
  resourceToDefinition,
  scopeFromDefinition,
  scopeToDefinition,
} from '../../../otel/model/definitions.ts';
import { type MetricDescription, metric } from '../../../otel/model/metric.ts';
import { InvalidDataError } from '../../../proto/error.ts';
import { decodeAgentMessage, encodeAgentMessage } from '../../../proto/messages/agent-message.ts';
import type { Define, MetricDefinition } from '../../../proto/messages/define.ts';

const metrics: MetricDescription[] = [
  metric({ name: 'a', kind: 'sum', isMonotonic: true, valueType: 'int', unit: 'By', description: 'all' }),
  metric({ name: 'b', kind: 'gauge' }),
  metric({ name: 'c', kind: 'histogram', explicitBounds: [-1, 0, 0.5], hasSum: true, hasMin: true }),
  metric({ name: 'd', kind: 'histogram' }),
  metric({ name: 'e', kind: 'exponential_histogram', hasMax: true }),
  metric({ name: 'f'.repeat(255), kind: 'summary', quantiles: [0, 0.5, 1] }),
];
const resource = { attributes: attributes({ 'service.name': 's', n: 5n }), schemaUrl: 'https://x' };
const scope = { name: 'lib', version: '1', attributes: attributes({ a: [1, 2n] }), schemaUrl: '' };

test('definitions come back through the bytes of a message as they were', (t) => {
  const define: Define = {
    type: 'define',
    resources: [resourceToDefinition(resource, 1)],
    scopes: [scopeToDefinition(scope, 2)],
    metrics: metrics.map((m, i) => metricToDefinition(m, i + 1, 2)),
    epochs: [],
    series: [],
  };
  const read = decodeAgentMessage(encodeAgentMessage(define)) as Define;
  t.deepEqual(
    read.metrics.map((definition, i) => metricFromDefinition(definition, `metrics[${i}]`)),
    metrics,
  );
  t.deepEqual(
    read.metrics.map(({ number, scope }) => [number, scope]),
    metrics.map((_, i) => [i + 1, 2]),
  );
  t.deepEqual(resourceFromDefinition(read.resources[0], 'resources[0]'), resource);
  t.is(read.resources[0].number, 1);
  t.deepEqual(scopeFromDefinition(read.scopes[0], 'scopes[0]'), scope);
  t.is(read.scopes[0].number, 2);
});

const invalid: Record<string, [change: Partial<MetricDefinition>, message: RegExp]> = {
  'no name': [{ name: '' }, /^metrics\[3\].name: has 0 characters/],
  'a long name': [{ name: 'n'.repeat(256) }, /^metrics\[3\].name: has 256 characters/],
  'a long unit': [{ unit: 'u'.repeat(256) }, /^metrics\[3\].unit: /],
  'a long description': [{ description: 'd'.repeat(5000) }, /^metrics\[3\].description: /],
  'no kind': [{ kind: 'unspecified' }, /^metrics\[3\].kind: /],
  'no value type': [{ valueType: 'unspecified' }, /^metrics\[3\].value_type: /],
  'bounds that fall': [{ kind: 'histogram', explicitBounds: [1, 0] }, /explicit_bounds\[1\]: is 0 after 1/],
  'a bound twice': [{ kind: 'histogram', explicitBounds: [1, 1] }, /explicit_bounds\[1\]/],
  'an infinite bound': [
    { kind: 'histogram', explicitBounds: [1, Infinity] },
    /explicit_bounds\[1\]: is Infinity/,
  ],
  'a bound that is no number': [{ kind: 'histogram', explicitBounds: [Number.NaN] }, /explicit_bounds\[0\]/],
  'too many bounds': [
    { kind: 'histogram', explicitBounds: Array.from({ length: maxExplicitBounds + 1 }, (_, i) => i) },
    /explicit_bounds: has 1025 numbers/,
  ],
  'a quantile above 1': [{ kind: 'summary', quantiles: [0.5, 1.5] }, /quantiles\[1\]: is 1.5/],
  'a quantile below 0': [{ kind: 'summary', quantiles: [-0.5] }, /quantiles\[0\]: is -0.5/],
};

for (const [title, [change, message]] of Object.entries(invalid))
  test(`refused: ${title}`, (t) => {
    const good = metricToDefinition(metric({ name: 'a', kind: 'sum' }), 4, 0);
    t.notThrows(() => metricFromDefinition(good, 'metrics[3]'));
    t.throws(() => metricFromDefinition({ ...good, ...change }, 'metrics[3]'), {
      instanceOf: InvalidDataError,
      message,
    });
  });

test('an attribute at fault is named', (t) => {
  const bad = { number: 1, attributes: [{ key: '', value: null }], schemaUrl: '' };
  t.throws(() => resourceFromDefinition(bad, 'resources[2]'), {
    message: /^resources\[2\].attributes\[0\].key: /,
  });
  t.throws(() => scopeFromDefinition({ ...bad, name: '', version: '' }, 'scopes[0]'), {
    message: /^scopes\[0\].attributes\[0\].key: /,
  });
});
