import test from 'ava';
import fc from 'fast-check';
import { jsonInSteps, toOtlpJson } from '../../../otel/otlp/json.ts';
import { parseOtlpJson } from '../../sinks/otlp-json.ts';
import { receivedPoints } from '../../sinks/received-points.ts';
import { modelCollections } from './model-arbitraries.ts';
import { collectionOf, expectedRows } from './model-collection.ts';

test('OTLP/JSON reads back as what was collected, for any collection', (t) => {
  t.timeout(30_000);
  fc.assert(
    fc.property(modelCollections, (model) => {
      const text = JSON.stringify(toOtlpJson(collectionOf(model)));
      t.deepEqual(receivedPoints([parseOtlpJson(text)]), expectedRows(model));
    }),
    { numRuns: 100 },
  );
});

test('it is the same however many points are read at a time: a metric is one metric', (t) => {
  t.timeout(30_000);
  fc.assert(
    fc.property(modelCollections, fc.integer({ min: 1, max: 3 }), (model, pointsPerRead) => {
      t.deepEqual(toOtlpJson(collectionOf(model, pointsPerRead)), toOtlpJson(collectionOf(model)));
    }),
    { numRuns: 50 },
  );
});

test('in parts it holds all points once, in order, and none is larger than one read more', (t) => {
  t.timeout(30_000);
  fc.assert(
    fc.property(modelCollections, (model) => {
      const parts = [...jsonInSteps(collectionOf(model, 2), 3)].filter((step) => step !== undefined);
      const rows = parts.map(({ request }) => receivedPoints([parseOtlpJson(JSON.stringify(request))]));
      t.deepEqual(rows.flat(), expectedRows(model));
      for (const [i, { points }] of parts.entries()) {
        t.is(points, rows[i]!.length);
        t.true(points >= 1 && points <= 4);
      }
    }),
    { numRuns: 50 },
  );
});

test('the reading of OTLP/JSON refuses fields and types that the specification does not have', (t) => {
  const inMetric = (metric: object): string =>
    JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics: [metric] }] }] });
  t.throws(() => parseOtlpJson('{"resource_metrics":[]}'), { message: /resource_metrics/ });
  t.throws(() => parseOtlpJson(inMetric({ sum: { dataPoints: [{ asInt: 0.5 }] } })), {
    message: /asInt is 0.5/,
  });
  t.throws(() => parseOtlpJson(inMetric({ sum: { dataPoints: [{ asDouble: 'x' }] } })), {
    message: /asDouble is "x"/,
  });
  t.throws(() => parseOtlpJson(inMetric({ sum: { aggregationTemporality: 3 } })), {
    message: /aggregationTemporality is 3/,
  });
});
