import test from 'ava';
import fc from 'fast-check';
import { toOtlpJson } from '../../../otel/otlp/json.ts';
import { parseOtlpJson } from '../../sinks/otlp-json.ts';
import { receivedPoints } from '../../sinks/received-points.ts';
import { collectionOf, expectedRows, modelCollections } from './model-collection.ts';

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
