import test from 'ava';
import fc from 'fast-check';
import type { OtlpOutcome } from '../../../../collector/receivers/otlp/otlp-outcome.ts';
import { configuredGrant } from '../../../../collector/security/grant.ts';
import type { ViewConfig } from '../../../../otel/config/metric-views.ts';
import { attributes, noAttributes } from '../../../../otel/model/attributes.ts';
import { metric } from '../../../../otel/model/metric.ts';
import { SnapshotWriter } from '../../../../otel/snapshot/snapshot-writer.ts';
import { StoreSnapshot } from '../../../../otel/state/snapshot/store-snapshot.ts';
import { InvalidDataError } from '../../../../proto/error.ts';
import { exportMethod } from '../../../sinks/export-request.ts';
import { birthUs } from '../../core.ts';
import { counter, keyValues, OtlpCore, point, request, requests } from './otlp-core.ts';

const service = { 'service.name': 'shop', 'service.instance.id': 'a' };
const other = { 'service.name': 'shop', 'service.instance.id': 'b' };
/** Seconds since 1970 at the store's birth. */
const t0 = birthUs / 1e6;
const fleet: ViewConfig = {
  selector: { instrumentName: 'jobs' },
  stream: { aggregation: 'default', name: 'fleet.jobs', resourceKeys: [] } as never,
};

test('counters of services add up, and a request that comes again changes nothing', (t) => {
  for (const temporality of ['cumulative', 'delta'] as const) {
    const otlp = new OtlpCore({ views: [fleet] });
    otlp.wait(20);
    const first = [
      request(service, counter('jobs', temporality, point({ start: t0 + 5, time: t0 + 15 }, { asInt: 5 }))),
      request(other, counter('jobs', temporality, point({ start: t0 + 6, time: t0 + 15 }, { asInt: 7 }))),
    ];
    for (const bytes of [...first, ...first, ...first]) t.is(otlp.take(bytes).refused, 0);
    t.deepEqual(otlp.core.values('fleet.jobs'), [12], temporality);
    const [start, value] = temporality === 'delta' ? [t0 + 15, 3] : [t0 + 5, 8];
    const second = request(
      service,
      counter('jobs', temporality, point({ start, time: t0 + 18 }, { asInt: value })),
    );
    for (const bytes of [second, first[0]!, second]) otlp.take(bytes);
    t.deepEqual(otlp.core.values('fleet.jobs'), [15], temporality);
  }
});

test('all kinds come in, with int and double, and what passes is what came', (t) => {
  const otlp = new OtlpCore();
  otlp.wait(20);
  const times = { start: t0 + 5, time: t0 + 15 };
  const outcome = otlp.take(
    request(
      service,
      counter('jobs', 'cumulative', point(times, { asInt: 5 })),
      { name: 'open', sum: { dataPoints: [point(times, { asDouble: -2.5 })], aggregationTemporality: 2 } },
      { name: 'load', gauge: { dataPoints: [point({ time: t0 + 15 }, { asDouble: 0.25 })] } },
      {
        name: 'took',
        histogram: {
          dataPoints: [
            point(times, { count: 3, sum: 7, min: 1, max: 4, bucketCounts: [1, 2], explicitBounds: [2] }),
          ],
          aggregationTemporality: 2,
        },
      },
      {
        name: 'size',
        exponentialHistogram: {
          dataPoints: [
            point(times, {
              count: 4,
              sum: 9,
              scale: 1,
              zeroCount: 1,
              positive: { offset: 2, bucketCounts: [1, 2] },
            }),
          ],
          aggregationTemporality: 1,
        },
      },
      {
        name: 'wait',
        summary: {
          dataPoints: [point(times, { count: 2, sum: 3, quantileValues: [{ quantile: 0.5, value: 1.5 }] })],
        },
      },
    ),
  );
  t.is(outcome.message, '');
  t.deepEqual([...outcome.outcomes], [['merged', 6]]);
  for (const [name, value] of [
    ['jobs', 5],
    ['open', -2.5],
    ['load', 0.25],
    ['took', [1, 2, 7]],
  ] as const)
    t.like(otlp.core.scrape().get(name)![0], {
      value,
      startUs: name === 'load' ? 0 : (t0 + 5) * 1e6,
      timeUs: (t0 + 15) * 1e6,
    });
  const { summaries, exponentialHistograms } = otlp.core.store;
  t.is(summaries.counts.get(1), 2);
  t.is(exponentialHistograms.series.inUse, 1);
});

test('exemplars are counted, and what has no recorded value leaves', (t) => {
  const otlp = new OtlpCore();
  otlp.wait(20);
  const gauge = (fields: object, time: number) =>
    request(service, { name: 'load', gauge: { dataPoints: [point({ time }, fields)] } });
  const outcome = otlp.take(gauge({ asDouble: 1, exemplars: [{ asDouble: 1 }, { asDouble: 2 }] }, t0 + 1));
  t.is(outcome.exemplars, 2);
  t.deepEqual([...otlp.take(gauge({ flags: 1 }, t0 + 2)).outcomes], [['without_value', 1]]);
  const [shown] = otlp.core.scrape().get('load')!;
  t.like(shown, { isWithoutValue: true, timeUs: (t0 + 2) * 1e6 });
});

test('whether numbers are integers does not make another series, nor does a histogram that lacks its sum', (t) => {
  const otlp = new OtlpCore({ views: [fleet] });
  otlp.wait(20);
  const send = (fields: object, time: number) =>
    otlp.take(request(service, counter('jobs', 'cumulative', point({ start: t0 + 5, time }, fields))));
  for (const [i, fields] of [{ asInt: 5 }, { asDouble: 6.5 }, { asInt: 8 }, { asDouble: 9 }].entries())
    t.is(send(fields, t0 + 10 + i).refused, 0);
  t.deepEqual(otlp.core.values('fleet.jobs'), [9]);
  t.is(otlp.points.size, 1);
  const histogram = (fields: object, time: number) =>
    otlp.take(
      request(service, {
        name: 'took',
        histogram: {
          dataPoints: [
            point(
              { start: t0 + 5, time },
              { bucketCounts: [1, 2], explicitBounds: [2], count: 3, ...fields },
            ),
          ],
          aggregationTemporality: 2,
        },
      }),
    );
  t.is(histogram({ sum: 4 }, t0 + 10).refused, 0);
  t.regex(
    histogram({}, t0 + 11).message,
    /1 of 1 data points were refused: 1 shape .*has no sum, and had one before/,
  );
  t.is(otlp.points.size, 2);
});

test('a first value that began before the store was born is a baseline', (t) => {
  const otlp = new OtlpCore({ views: [fleet] });
  otlp.wait(20);
  const send = (start: number, time: number, value: number) =>
    otlp.take(request(service, counter('jobs', 'cumulative', point({ start, time }, { asInt: value }))));
  t.deepEqual([...send(t0 - 100, t0 + 15, 50).outcomes], [['baseline', 1]]);
  t.deepEqual([...send(t0 - 100, t0 + 16, 53).outcomes], [['merged', 1]]);
  t.deepEqual(otlp.core.values('fleet.jobs'), [3]);
});

test('what is refused is told with its cause and place, and booked; the rest is taken', (t) => {
  const otlp = new OtlpCore();
  otlp.wait(20);
  const times = { start: t0 + 5, time: t0 + 15 };
  const outcome = otlp.take(
    requests(
      [
        service,
        [
          counter(
            'jobs',
            'delta',
            point(times, { asInt: 5 }, { q: 'ok' }),
            point(times, {}, { q: 'none' }),
            point(times, { asInt: -5 }, { q: 'negative' }),
            point(times, { asDouble: Number.NaN }, { q: 'nan' }),
            point({ start: t0 + 9, time: t0 + 8 }, { asInt: 4 }, { q: 'time' }),
            point(times, { asInt: 1 }, { q: 'x'.repeat(100) }),
          ),
          { name: '', gauge: { dataPoints: [point(times, { asInt: 1 })] } },
          { name: 'unspecified', sum: { dataPoints: [point(times, { asInt: 1 })], isMonotonic: true } },
          {
            name: 'took',
            histogram: {
              dataPoints: [point(times, { count: 9, bucketCounts: [1, 2], explicitBounds: [2] })],
              aggregationTemporality: 1,
            },
          },
        ],
      ],
      [{ '': 'no key' } as never, [counter('jobs', 'delta', point(times, { asInt: 1 }))]],
    ),
  );
  t.is(outcome.points, 10);
  t.is(outcome.refused, 9);
  t.deepEqual([...outcome.outcomes], [['merged', 1]]);
  t.deepEqual([...outcome.refusals].map(([cause, { points }]) => `${cause} ${points}`).sort(), [
    'invalid 4',
    'negative 1',
    'no_value 1',
    'not_finite 1',
    'shape 1',
    'time 1',
  ]);
  t.regex(outcome.message, /^9 of 10 data points were refused: /);
  t.regex(
    outcome.message,
    /1 no_value \(resource_metrics\[0\]\.scope_metrics\[0\]\.metrics\[0\]\.sum\.data_points\[1\]: /,
  );
  t.regex(outcome.message, /data_points\[5\]\.attributes\[0\]: "q" has a key of 1 and a value of 100 bytes/);
  const booked = otlp.core.store.ledger.find('shop/a', 'jobs')!;
  t.deepEqual(booked.refused.get('time'), { points: 1, amount: 4 });
  t.deepEqual(booked.refused.get('negative'), { points: 1, amount: 0 });
  t.deepEqual(otlp.core.store.ledger.find('shop/a', 'took')!.refused.get('shape'), { points: 1, amount: 9 });
});

test('a malformed request changes nothing', (t) => {
  const otlp = new OtlpCore();
  const bytes = request(service, counter('jobs', 'delta', point({ time: t0 + 15 }, { asInt: 5 })));
  t.throws(() => otlp.take(bytes.subarray(0, bytes.length - 1)), { instanceOf: InvalidDataError });
  t.is(otlp.core.store.seriesCount, 0);
  t.is(otlp.core.store.members.size, 0);
  t.is(otlp.take(Buffer.alloc(0)).points, 0);
});

test('over a limit of series new ones are refused, and those that are known go on', (t) => {
  const sent = (...names: string[]) =>
    request(
      service,
      counter(
        'jobs',
        'cumulative',
        ...names.map((q) => point({ start: t0 + 1, time: t0 + 2 }, { asInt: 1 }, { q })),
      ),
    );
  const all = new OtlpCore({ limits: { maxSeries: 2 } });
  t.regex(
    all.take(sent('a', 'b', 'c')).message,
    /1 limit \(.*data_points\[2\].*at most 2 are allowed \(otlp\.max_series\)/,
  );
  t.is(all.take(sent('b', 'a')).refused, 0);
  const one = new OtlpCore({ limits: { maxSlots: 2 } });
  t.regex(one.take(sent('a', 'b', 'c')).message, /1 limit \(.*the service has 2 series/);
  t.is(one.core.store.seriesCount, 2);
});

const uuid = '7bfa5d3c-1f7a-4f0c-9a52-6a2c2f1f9c11';
const jobs = metric({ name: 'jobs', kind: 'sum', isMonotonic: true, valueType: 'int' });

/** A service that has a stream, and the same service over OTLP. */
function bothWays() {
  const otlp = new OtlpCore();
  const { core } = otlp;
  const resource = { 'service.name': 'shop', 'service.instance.id': uuid };
  const stream = core.stream();
  stream.hello(uuid, 1, attributes(resource));
  const of = { metric: jobs, attributes: noAttributes, group: 0, isForeign: false };
  const send = (start: number, time: number, value: number) =>
    otlp.take(
      exportMethod().requestSerialize({
        resourceMetrics: [
          {
            resource: { attributes: keyValues(resource) },
            scopeMetrics: [
              { metrics: [counter('jobs', 'cumulative', point({ start, time }, { asInt: value }))] },
            ],
          },
        ],
      }),
    );
  return { otlp, core, stream, of, send };
}

test('a series of a live stream is not taken over while that is silent: its cells would point to what is another one', (t) => {
  const { otlp, core, stream, of, send } = bothWays();
  const number = stream.define(of, 'e', 0, 0);
  stream.report(0, birthUs + 1, new Map([[number, 5]]), 1);
  otlp.wait(1);
  t.regex(send(t0 + 1, t0 + 2, 100).message, /1 held .*a stream reports this series/);
  // The stream is held and says nothing, so that its series leave.
  otlp.wait(600);
  t.regex(send(t0 + 1, t0 + 602, 100).message, /1 held/);
  // A day later it would have been freed, had it been taken over.
  otlp.wait(90_000);
  otlp.wait(1);
  stream.report(0, birthUs + 2, new Map([[number, 8]]), 2);
  t.deepEqual(core.values('jobs'), [8]);
  t.is(core.store.seriesCount, 1);
});

test('a series goes from a stream that has ended to points, and back to a stream, without being counted twice', (t) => {
  const { otlp, core, stream, of, send } = bothWays();
  stream.report(0, birthUs + 1, new Map([[stream.define(of, 'e', 0, 0), 5]]), 1);
  stream.goodbye(1);
  otlp.wait(10);
  t.is(send(t0 + 5, t0 + 9, 100).refused, 0);
  t.is(send(t0 + 5, t0 + 10, 101).refused, 0);
  t.is(core.store.seriesCount, 1);
  t.deepEqual(core.values('jobs'), [101]);
  const again = core.stream();
  again.hello(uuid, 2, attributes({ 'service.name': 'shop', 'service.instance.id': uuid }));
  const number = again.define(of, 'f', 0, 0);
  // Between the definition and the first report the series shows nothing, and is held all the same.
  t.regex(send(t0 + 5, t0 + 11, 102).message, /1 held/);
  again.report(0, birthUs + 2, new Map([[number, 3]]), 1);
  t.regex(send(t0 + 5, t0 + 12, 103).message, /1 held/);
  otlp.wait(400);
  again.report(0, birthUs + 3, new Map([[number, 4]]), 2);
  t.deepEqual(core.values('jobs'), [4]);
  t.is(core.store.seriesCount, 1);
});

test('credentials that force or forbid attributes hold for resources', (t) => {
  const otlp = new OtlpCore();
  const grantOf = (tenant: string, forbidden: string[] = []) =>
    configuredGrant(`token ${tenant}`, {
      permissions: ['otlp'],
      agents: ['*'],
      forced: attributes({ tenant }),
      forbidden,
    });
  const bytes = (resource: Record<string, string>) =>
    request(resource, counter('jobs', 'cumulative', point({ start: t0 + 1, time: t0 + 2 }, { asInt: 1 })));
  t.is(otlp.take(bytes(service), grantOf('red')).refused, 0);
  // The same bytes from another tenant are not the same service.
  const blue = otlp.take(bytes(service), grantOf('blue'));
  t.regex(blue.message, /1 denied .*written with other credentials/);
  t.deepEqual([...blue.denials].length, 1);
  t.regex(
    otlp.take(bytes({ ...other, tenant: 'red' }), grantOf('blue')).message,
    /"tenant" may be "blue" only/,
  );
  t.regex(otlp.take(bytes(other), grantOf('blue', ['service.*'])).message, /may not be set/);
  t.is(otlp.take(bytes(other), grantOf('blue')).refused, 0);
  t.is(otlp.take(bytes(service), grantOf('red')).refused, 0);
  const tenants = otlp.core.streams().map(({ resource }) => Object.fromEntries(resource).tenant);
  t.deepEqual(tenants.sort(), ['blue', 'red']);
});

test('a second process under one identity is kept apart by its resource, and is seen when even that is equal', (t) => {
  const otlp = new OtlpCore({ views: [fleet] });
  otlp.wait(20);
  const send = (pid: string, start: number, time: number, value: number) =>
    otlp.take(
      request({ ...service, pid }, counter('jobs', 'cumulative', point({ start, time }, { asInt: value }))),
    );
  send('1', t0 + 1, t0 + 10, 5);
  send('2', t0 + 2, t0 + 11, 7);
  send('1', t0 + 1, t0 + 12, 6);
  t.is(send('2', t0 + 2, t0 + 13, 8).refused, 0);
  t.deepEqual(otlp.core.values('fleet.jobs'), [14]);
  t.is(otlp.core.store.members.size, 1);
  t.is(send('2', t0 + 9, t0 + 14, 1).members[0]!.contested, 0);
  const late = send('2', t0 + 2, t0 + 15, 9);
  t.deepEqual(late.members, [{ id: 'shop/a', taken: 0, contested: 1 }]);
});

/** However the outcomes are ordered. */
function plain({ outcomes, refusals, ...rest }: OtlpOutcome): string {
  return JSON.stringify([[...outcomes].sort(), [...refusals].sort(), rest]);
}

function stateOf(otlp: OtlpCore): string {
  const snapshot = new StoreSnapshot(otlp.core.store, otlp.points);
  for (const _ of snapshot.reserve());
  snapshot.take();
  return [...snapshot.write(new SnapshotWriter())]
    .map(({ type, bytes }) => `${type} ${Buffer.from(bytes).toString('base64')}`)
    .join('\n');
}

test('what is remembered of earlier requests changes nothing: the same requests make the same state without it', (t) => {
  const step = fc.record({
    services: fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 3 }),
    kind: fc.constantFrom('int', 'double', 'delta', 'gauge', 'histogram', 'bare_histogram', 'flag'),
    names: fc.array(fc.nat({ max: 4 }), { minLength: 1, maxLength: 4 }),
    value: fc.nat({ max: 9 }),
    start: fc.nat({ max: 20 }),
    waitS: fc.constantFrom(0, 1, 1, 5, 400, 90_000),
    version: fc.nat({ max: 1 }),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 25 }), (steps) => {
      const remembering = new OtlpCore({ limits: { maxKnown: 30, maxSeries: 25, maxSlots: 12 } });
      const forgetful = new OtlpCore({ limits: { maxKnown: 30, maxSeries: 25, maxSlots: 12 } });
      for (const { services, kind, names, value, start, waitS, version } of steps) {
        const now = remembering.core.nowUs / 1e6;
        const times = { start: t0 + start, time: Math.floor(now) + start };
        const points = (fields: object) => names.map((n) => point(times, fields, { n: BigInt(n) }));
        const buckets = { count: value + 1, bucketCounts: [value, 1], explicitBounds: [2] };
        const metric =
          kind === 'int' || kind === 'delta'
            ? counter('jobs', kind === 'delta' ? 'delta' : 'cumulative', ...points({ asInt: value }))
            : kind === 'double'
              ? counter('jobs', 'cumulative', ...points({ asDouble: value + 0.5 }))
              : kind === 'flag'
                ? counter('jobs', 'cumulative', ...points({ flags: 1 }))
                : kind === 'gauge'
                  ? { name: 'load', gauge: { dataPoints: points({ asInt: value }) } }
                  : {
                      name: 'took',
                      histogram: {
                        dataPoints: points(kind === 'histogram' ? { ...buckets, sum: value } : buckets),
                        aggregationTemporality: 2,
                      },
                    };
        const bytes = requests(
          ...services.map(
            (n) =>
              [
                { 'service.name': 's', 'service.instance.id': `${n}`, version: `${version}` },
                [metric],
              ] as const,
          ),
        );
        forgetful.intake = forgetful.freshIntake();
        const outcome = remembering.take(bytes);
        if (plain(forgetful.take(bytes)) !== plain(outcome)) t.deepEqual(forgetful.take(bytes), outcome);
        remembering.wait(waitS);
        forgetful.wait(waitS);
      }
      t.is(stateOf(remembering), stateOf(forgetful));
    }),
    { numRuns: 40, seed: 4 },
  );
});

test('attributes in another order, or encoded otherwise, are the same series', (t) => {
  const otlp = new OtlpCore();
  otlp.wait(20);
  const send = (list: object[], time: number) =>
    otlp.take(
      request(service, {
        ...counter('jobs', 'delta', {
          ...point({ start: time - 1, time }, { asInt: 1 }),
          attributes: list,
        }),
      }),
    );
  const list = keyValues({ a: 'x', b: 2n, c: 0.5 });
  send(list, t0 + 5);
  send([...list].reverse(), t0 + 6);
  send(list, t0 + 7);
  t.deepEqual(otlp.core.values('jobs'), [3]);
});
