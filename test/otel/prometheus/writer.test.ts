import test from 'ava';
import fc from 'fast-check';
import { ExpositionReport } from '../../../otel/prometheus/exposition-report.ts';
import { labelName } from '../../../otel/prometheus/label-text.ts';
import type { ExpositionFormat } from '../../../otel/prometheus/negotiate.ts';
import { PrometheusWriter } from '../../../otel/prometheus/writer.ts';
import { type MetricStream, noRecordedValue } from '../../../otel/state/point-batch.ts';
import { parseExposition } from './exposition-parser.ts';
import { collectionOf, type PlainMetric, type PlainResource } from './test-collection.ts';

function write(format: ExpositionFormat, ...resources: readonly PlainResource[]) {
  const report = new ExpositionReport();
  const pieces = [...new PrometheusWriter().write(collectionOf(...resources), format, report)];
  const text = pieces.join('');
  return { text, pieces, report, families: parseExposition(text, format === 'openmetrics') };
}

const service = { 'service.name': 'shop', 'service.namespace': 'eu', 'service.instance.id': '1' };
const host = (name: string) => ({ 'host.name': name, 'host.id': `id-${name}`, 'os.type': 'linux' });

const io: PlainMetric = {
  name: 'system.network.io',
  kind: 'sum',
  isMonotonic: true,
  unit: 'By',
  description: 'Bytes by "direction"\nand \\device.',
  points: [
    { attributes: { 'network.io.direction': 'receive', device: 'eth0' }, value: 2 ** 53 },
    { attributes: { 'network.io.direction': 'transmit', device: 'eth"\\\n0' }, value: 0.5 },
  ],
};
const latency: PlainMetric = {
  name: 'latency',
  kind: 'histogram',
  unit: 's',
  explicitBounds: [0.5, 1, 2.5],
  hasSum: true,
  points: [{ attributes: { route: '/' }, buckets: [1, 0, 2, 3], sum: 12.25 }],
};

test('text format 0.0.4, to the letter', (t) => {
  const { text, report } = write('text', {
    attributes: service,
    scope: { name: 'net', version: '1.2' },
    metrics: [io, latency],
  });
  const who = 'job="eu/shop",instance="1"';
  const scope = `${who},otel_scope_name="net",otel_scope_version="1.2"`;
  t.is(
    text,
    [
      '# TYPE target_info gauge',
      '# HELP target_info Attributes of the resource.',
      `target_info{${who}} 1`,
      '# HELP system_network_io_bytes_total Bytes by "direction"\\nand \\\\device.',
      '# TYPE system_network_io_bytes_total counter',
      `system_network_io_bytes_total{${scope},device="eth0",network_io_direction="receive"} 9007199254740992`,
      `system_network_io_bytes_total{${scope},device="eth\\"\\\\\\n0",network_io_direction="transmit"} 0.5`,
      '# HELP latency_seconds OpenTelemetry metric latency',
      '# TYPE latency_seconds histogram',
      `latency_seconds_bucket{${scope},route="/",le="0.5"} 1`,
      `latency_seconds_bucket{${scope},route="/",le="1"} 1`,
      `latency_seconds_bucket{${scope},route="/",le="2.5"} 3`,
      `latency_seconds_bucket{${scope},route="/",le="+Inf"} 6`,
      `latency_seconds_sum{${scope},route="/"} 12.25`,
      `latency_seconds_count{${scope},route="/"} 6`,
      '',
    ].join('\n'),
  );
  t.is(report.samples, 9);
  t.is(report.families, 3);
});

test('OpenMetrics names counters without _total, has units, info and EOF', (t) => {
  const { text, families } = write('openmetrics', { attributes: service, metrics: [io, latency] });
  t.true(text.startsWith('# TYPE target info\n'));
  t.true(text.endsWith('# EOF\n'));
  const counter = families.get('system_network_io_bytes')!;
  t.is(counter.type, 'counter');
  t.is(counter.unit, 'bytes');
  t.is(counter.help, 'Bytes by "direction"\nand \\device.');
  t.is(counter.samples[0]!.name, 'system_network_io_bytes_total');
  const bounds = families.get('latency_seconds')!.samples.map((sample) => sample.labels.get('le'));
  t.deepEqual(bounds, ['0.5', '1.0', '2.5', '+Inf', undefined, undefined]);
});

test('one target_info a resource; one family across resources stands together', (t) => {
  const other: PlainMetric = { name: 'up', kind: 'gauge', points: [{ value: 1 }] };
  const { families } = write(
    'text',
    { attributes: host('a'), metrics: [io, other] },
    { attributes: host('b'), metrics: [other, io] },
  );
  const info = families.get('target_info')!.samples;
  t.deepEqual(
    info.map((sample) => Object.fromEntries(sample.labels)),
    ['a', 'b'].map((name) => ({
      job: 'host',
      instance: name,
      host_name: name,
      host_id: `id-${name}`,
      os_type: 'linux',
    })),
  );
  t.is(families.get('up')!.samples.length, 2);
  t.is(families.get('system_network_io_bytes_total')!.samples.length, 4);
});

test('of two types under one name the first holds, and the points of the other are counted', (t) => {
  const { families, report } = write(
    'text',
    { attributes: host('a'), metrics: [{ name: 'x.y', kind: 'gauge', points: [{ value: 1 }] }] },
    {
      attributes: host('b'),
      metrics: [
        {
          name: 'x_y',
          kind: 'histogram',
          points: [{ buckets: [1] }, { attributes: { a: 'b' }, buckets: [1] }],
        },
        { name: 'x-y', kind: 'gauge', description: 'other', points: [{ value: 2 }] },
      ],
    },
  );
  t.deepEqual(
    families.get('x_y')!.samples.map((sample) => sample.value),
    [1, 2],
  );
  t.is(report.leftOut.type_conflict, 2);
  t.deepEqual(report.conflicts, [
    { metric: 'x_y', family: 'x_y', job: 'host', instance: 'b', cause: 'type_conflict', points: 2 },
    { metric: 'x-y', family: 'x_y', job: 'host', instance: 'b', cause: 'help', points: 0 },
  ]);
});

test('a family whose sample names are another family’s is left out', (t) => {
  const count: PlainMetric = { name: 'latency_seconds_count', kind: 'gauge', points: [{ value: 1 }] };
  const info: PlainMetric = { name: 'target.info', kind: 'gauge', points: [{ value: 1 }] };
  const after = write('text', { attributes: service, metrics: [latency, count, info] });
  t.is(after.report.leftOut.name_conflict, 2);
  t.false(after.families.has('latency_seconds_count'));
  const before = write('text', { attributes: service, metrics: [count, latency] });
  t.is(before.report.leftOut.name_conflict, 1);
  t.false(before.families.has('latency_seconds'));
});

test('a gauge and a counter may share a base name in the text format, not in OpenMetrics', (t) => {
  const resource: PlainResource = {
    attributes: service,
    metrics: [
      { name: 'jobs', kind: 'sum', isMonotonic: true, points: [{ value: 1 }] },
      { name: 'jobs', kind: 'sum', points: [{ value: 2 }] },
    ],
  };
  t.deepEqual([...write('text', resource).families.keys()], ['target_info', 'jobs_total', 'jobs']);
  const openMetrics = write('openmetrics', resource);
  t.deepEqual([...openMetrics.families.keys()], ['target', 'jobs']);
  t.is(openMetrics.report.leftOut.name_conflict, 1);
});

test('what Prometheus cannot show is counted by cause', (t) => {
  const points = [{ value: 1 }, { attributes: { a: 'b' }, value: 1 }];
  const { report, families } = write('text', {
    attributes: service,
    metrics: [
      { name: 'd', kind: 'sum', isMonotonic: true, temporality: 'delta', points },
      {
        name: 'e',
        kind: 'exponential_histogram',
        temporality: 'delta',
        points: [{ exponential: { scale: 0 } }],
      },
      { name: '流', kind: 'gauge', points },
    ],
  });
  t.deepEqual([...families.keys()], ['target_info']);
  t.like(report.leftOut, { delta: 3, unusable_name: 2 });
});

test('no series appears twice, within a stream and across streams', (t) => {
  const twice: PlainMetric = {
    name: 'g',
    kind: 'gauge',
    points: [
      { attributes: { a: 'x' }, value: 1 },
      { attributes: { a: 'x', b: '' }, value: 2 },
      { attributes: { 'a.b': '1' }, value: 3 },
      { attributes: { a_b: '1' }, value: 4 },
    ],
  };
  const { families, report } = write('text', {
    attributes: service,
    metrics: [twice, { ...twice, name: 'g.' }],
  });
  t.deepEqual(
    families.get('g')!.samples.map((sample) => sample.value),
    [1, 3],
  );
  t.is(report.leftOut.duplicate_series, 6);
});

test('attributes of one label name are joined, those of reserved names are moved aside', (t) => {
  const { families } = write('text', {
    attributes: service,
    scope: { name: 's', schemaUrl: 'u', attributes: { 'library.mascot': 'bear', name: 'hidden' } },
    metrics: [
      {
        name: 'g',
        kind: 'gauge',
        points: [
          {
            attributes: {
              'a.b': '1',
              a_b: '2',
              'a-b': '0',
              job: 'j',
              le: '5',
              'otel.scope.name': 'o',
              '9x': 'd',
              n: 7n,
              f: 1.5,
              t: true,
              l: ['p', 1n],
            },
            value: 1,
          },
        ],
      },
    ],
  });
  t.deepEqual(Object.fromEntries(families.get('g')!.samples[0]!.labels), {
    job: 'eu/shop',
    instance: '1',
    otel_scope_name: 's',
    otel_scope_schema_url: 'u',
    otel_scope_library_mascot: 'bear',
    a_b: '0;1;2',
    exported_job: 'j',
    exported_le: '5',
    exported_otel_scope_name: 'o',
    key_9x: 'd',
    n: '7',
    f: '1.5',
    t: 'true',
    l: '["p",1]',
  });
});

test('values: no exponent up to 2^53, NaN and infinities; a series without a recorded value is left out', (t) => {
  const values = [2 ** 53, -(2 ** 53), 1e-9, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const points = values.map((value, i) => ({ attributes: { i: `${i}` }, value }));
  const { families, report } = write('text', {
    attributes: service,
    metrics: [
      {
        name: 'g',
        kind: 'gauge',
        points: [...points, { attributes: { i: 'none' }, flags: noRecordedValue }],
      },
      { name: 'silent', kind: 'gauge', points: [{ flags: noRecordedValue }] },
    ],
  });
  t.deepEqual(
    families.get('g')!.samples.map((sample) => sample.valueText),
    ['9007199254740992', '-9007199254740992', '1e-9', 'NaN', '+Inf', '-Inf'],
  );
  t.false(families.has('silent'));
  t.is(report.samples, 7);
});

test('histograms: no sum over values below zero, none where there is none; odd bounds make no line twice', (t) => {
  const histogram = (name: string, explicitBounds: number[], hasSum: boolean, sum: number): PlainMetric => ({
    name,
    kind: 'histogram',
    explicitBounds,
    hasSum,
    points: [{ buckets: explicitBounds.map(() => 1).concat(1), sum }],
  });
  const { families } = write('text', {
    attributes: service,
    metrics: [
      histogram('below', [-1, 1], true, 5),
      histogram('without', [1], false, 5),
      histogram('fell', [1], true, -5),
      histogram('odd', [1, 1, Number.POSITIVE_INFINITY], true, 5),
      histogram('none', [], true, 5),
    ],
  });
  const lines = (name: string) =>
    families.get(name)!.samples.map((s) => `${s.name} ${s.labels.get('le') ?? ''} ${s.value}`);
  t.deepEqual(lines('below'), [
    'below_bucket -1 1',
    'below_bucket 1 2',
    'below_bucket +Inf 3',
    'below_count  3',
  ]);
  t.deepEqual(lines('without'), ['without_bucket 1 1', 'without_bucket +Inf 2', 'without_count  2']);
  t.deepEqual(lines('fell'), ['fell_bucket 1 1', 'fell_bucket +Inf 2', 'fell_count  2']);
  t.deepEqual(lines('odd'), ['odd_bucket 1 2', 'odd_bucket +Inf 4', 'odd_sum  5', 'odd_count  4']);
  t.deepEqual(lines('none'), ['none_bucket +Inf 1', 'none_sum  5', 'none_count  1']);
});

test('a summary has its quantiles, sum and count', (t) => {
  const resource: PlainResource = {
    attributes: service,
    metrics: [
      {
        name: 'wait',
        kind: 'summary',
        unit: 's',
        quantiles: [0, 0.5, 0.99, 1],
        points: [
          { attributes: { quantile: 'q' }, count: 7, sum: 2.5, quantileValues: [0.25, 1, Number.NaN, 3] },
          { attributes: { b: 'negative' }, count: 1, sum: -2.5, quantileValues: [-2.5, -2.5, -2.5, -2.5] },
        ],
      },
    ],
  };
  const lines = (format: ExpositionFormat) => {
    const family = write(format, resource).families.get('wait_seconds')!;
    t.is(family.type, 'summary');
    return family.samples.map(
      (s) =>
        `${s.name} ${s.labels.get('exported_quantile') ?? ''} ${s.labels.get('quantile') ?? ''} ${s.value}`,
    );
  };
  t.deepEqual(lines('text'), [
    'wait_seconds q 0 0.25',
    'wait_seconds q 0.5 1',
    'wait_seconds q 0.99 NaN',
    'wait_seconds q 1 3',
    'wait_seconds_sum q  2.5',
    'wait_seconds_count q  7',
    'wait_seconds  0 -2.5',
    'wait_seconds  0.5 -2.5',
    'wait_seconds  0.99 -2.5',
    'wait_seconds  1 -2.5',
    'wait_seconds_count   1',
  ]);
  t.deepEqual(lines('openmetrics').slice(0, 4), [
    'wait_seconds q 0.0 0.25',
    'wait_seconds q 0.5 1',
    'wait_seconds q 0.99 NaN',
    'wait_seconds q 1.0 3',
  ]);
});

test('a gauge with a suffix that promtool reserves is untyped as text, a gauge in OpenMetrics', (t) => {
  const resource: PlainResource = {
    attributes: service,
    metrics: [{ name: 'system.process.count', kind: 'sum', unit: '{process}', points: [{ value: 3 }] }],
  };
  t.is(write('text', resource).families.get('system_process_count')!.type, 'untyped');
  const report = new ExpositionReport();
  const text = [...new PrometheusWriter().write(collectionOf(resource), 'openmetrics', report)].join('');
  t.true(text.includes('# TYPE system_process_count gauge\n'));
});

test('an empty collection is empty text, and an EOF in OpenMetrics', (t) => {
  t.is(write('text').text, '');
  t.is(write('openmetrics').text, '# EOF\n');
});

test('large output comes in pieces, and nothing is made before it is asked for', (t) => {
  const points = Array.from({ length: 5000 }, (_, i) => ({ attributes: { series: `${i}` }, value: i }));
  const { pieces } = write('text', {
    attributes: service,
    metrics: [{ name: 'many', kind: 'gauge', points }],
  });
  t.true(pieces.length > 2);
  t.true(pieces.every((piece) => piece.length < 66_000));

  let read = 0;
  const collection = collectionOf({ attributes: service, metrics: [io, { ...io, name: 'other' }] });
  for (const { scopes } of collection.resources) {
    for (const stream of scopes[0]!.streams as readonly { read: MetricStream['read'] }[]) {
      const original = stream.read.bind(stream);
      stream.read = (batch, from) => {
        read++;
        return original(batch, from);
      };
    }
  }
  const iterator = new PrometheusWriter().write(collection, 'text', new ExpositionReport());
  t.is(read, 0);
  iterator.next();
  t.is(read, 2);
});

const hostile = fc.oneof(
  fc.constantFrom(
    'job',
    'instance',
    'le',
    'a.b',
    'a_b',
    'a-b',
    '',
    '__name__',
    '0',
    'otel_scope_name',
    '"',
    '\\',
    '\n',
  ),
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.string({
    unit: fc.constantFrom('a', '_', '.', '"', '\\', '\n', '{', '}', ',', '=', '\ud800'),
    maxLength: 6,
  }),
);
const hostileAttributes = fc.dictionary(hostile, hostile, { maxKeys: 4, noNullPrototype: true });
const hostileBuckets = fc.record({
  offset: fc.oneof(fc.integer({ min: -50, max: 50 }), fc.constantFrom(-(2 ** 31), 2 ** 31 - 9)),
  counts: fc.array(fc.nat(), { maxLength: 8 }),
});
const hostileMetric: fc.Arbitrary<PlainMetric> = fc
  .record({
    name: fc.oneof(
      fc.constantFrom('x', 'x.count', 'x_sum', 'x.total', 'x.bucket', 'target.info', 'target'),
      hostile,
    ),
    kind: fc.constantFrom('sum', 'gauge', 'histogram', 'summary', 'exponential_histogram'),
    unit: fc.oneof(fc.constantFrom('', 's', '1', 'By/s'), hostile),
    description: hostile,
    isMonotonic: fc.boolean(),
    temporality: fc.constantFrom('cumulative', 'cumulative', 'delta'),
    explicitBounds: fc.constantFrom([], [1], [0, 5, 10]),
    hasSum: fc.boolean(),
    quantiles: fc.constant([0, 0.5, 1]),
    points: fc.array(
      fc.record({
        attributes: hostileAttributes,
        value: fc.double(),
        buckets: fc.constant([1, 2, 3, 4]),
        sum: fc.double(),
        count: fc.nat(),
        quantileValues: fc.array(fc.double(), { minLength: 3, maxLength: 3 }),
        exponential: fc.record({
          scale: fc.integer({ min: -10, max: 20 }),
          zeroThreshold: fc.constantFrom(0, 0, 1e-9, 0.3, 1e20),
          zeroCount: fc.nat(),
          positive: hostileBuckets,
          negative: hostileBuckets,
        }),
      }),
      { maxLength: 4 },
    ),
  })
  .map((metric) => ({
    ...metric,
    points: metric.points.map((p) => ({
      ...p,
      buckets: p.buckets.slice(0, metric.explicitBounds.length + 1),
    })),
  })) as fc.Arbitrary<PlainMetric>;
const hostileResource: fc.Arbitrary<PlainResource> = fc.record({
  attributes: fc.oneof(hostileAttributes, fc.constant(service)),
  scope: fc.record({ name: hostile, version: hostile, attributes: hostileAttributes }),
  metrics: fc.array(hostileMetric, { maxLength: 5 }),
});

test('whatever the names and values are, the text is well formed and every point is shown or counted', (t) => {
  fc.assert(
    fc.property(
      fc.array(hostileResource, { maxLength: 3 }),
      fc.constantFrom<ExpositionFormat>('text', 'openmetrics'),
      (resources, format) => {
        const { families, report } = write(format, ...resources);
        const points = resources.flatMap((r) => r.metrics.flatMap((m) => m.points)).length;
        const shown = [...families.values()]
          .filter((family) => family.type !== 'info' && family.name !== 'target_info')
          .flatMap((family) =>
            family.samples.filter(
              (s) => !['histogram', 'summary'].includes(family.type) || s.name === `${family.name}_count`,
            ),
          );
        const leftOut = Object.values(report.leftOut).reduce((sum, n) => sum + n, 0);
        return shown.length + leftOut === points;
      },
    ),
    { numRuns: 400 },
  );
  t.pass();
});

test('a label value is read back as it was', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), fc.double({ noNaN: true }), (value, number) => {
      const { families } = write('text', {
        attributes: service,
        metrics: [{ name: 'g', kind: 'gauge', points: [{ attributes: { key: value }, value: number }] }],
      });
      const sample = families.get('g')!.samples[0]!;
      return sample.labels.get('key') === value.toWellFormed() && sample.value === number;
    }),
    { numRuns: 300 },
  );
  t.pass();
});

test('label names are valid whatever the key', (t) => {
  fc.assert(
    fc.property(
      hostile,
      (key) => /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(labelName(key)) && !labelName(key).includes('__'),
    ),
  );
  t.pass();
});
