import test from 'ava';
import fc from 'fast-check';
import { metric } from '../../../otel/model/metric.ts';
import { type DroppedPoints, encodeInSteps, encodeRequests } from '../../../otel/otlp/encode-requests.ts';
import type { Collection } from '../../../otel/state/point-batch.ts';
import { decodeExportRequest } from '../../sinks/export-request.ts';
import { receivedPoints } from '../../sinks/received-points.ts';
import { modelCollections } from './model-arbitraries.ts';
import { collectionOf, expectedRows, type ModelPoint, type ModelResource } from './model-collection.ts';

function point(i: number, more: Partial<ModelPoint> = {}): ModelPoint {
  return {
    attributes: { 'host.name': `host-${i}` },
    startUs: 1_790_000_000_000_001,
    timeUs: 1_790_000_060_000_003,
    flags: 0,
    value: i,
    counts: [],
    sum: 0,
    min: 0,
    max: 0,
    ...more,
  };
}

function sums(points: ModelPoint[]): ModelResource[] {
  const description = metric({ name: 'requests', kind: 'sum', isMonotonic: true, valueType: 'int' });
  const streams = [{ metric: description, temporality: 'cumulative' as const, points }];
  return [{ attributes: { 'service.name': 'shop' }, scopes: [{ name: 'meter', streams }] }];
}

test('what is encoded is what proto-loader decodes, for any collection', (t) => {
  t.timeout(30_000);
  fc.assert(
    fc.property(modelCollections, (model) => {
      const collection = collectionOf(model);
      for (const round of ['attributes encoded', 'attributes cached']) {
        const requests = [...encodeRequests(collection)];
        const rows = receivedPoints(requests.map(({ bytes }) => decodeExportRequest(bytes)));
        t.deepEqual(rows, expectedRows(model), round);
        t.is(
          requests.reduce((sum, { points }) => sum + points, 0),
          rows.length,
        );
      }
    }),
    { numRuns: 100 },
  );
});

test('requests split at any size hold all points once, in order, and none is larger', (t) => {
  t.timeout(30_000);
  fc.assert(
    fc.property(modelCollections, fc.integer({ min: 1024, max: 8000 }), (model, maxBytes) => {
      let dropped = 0;
      const requests = [
        ...encodeRequests(collectionOf(model), { maxBytes, onDropped: ({ points }) => (dropped += points) }),
      ];
      for (const { bytes, points } of requests) {
        t.true(bytes.length <= maxBytes);
        t.is(receivedPoints([decodeExportRequest(bytes)]).length, points);
      }
      const rows = receivedPoints(requests.map(({ bytes }) => decodeExportRequest(bytes)));
      const expected = expectedRows(model);
      t.is(rows.length + dropped, expected.length);
      if (dropped === 0) t.deepEqual(rows, expected);
    }),
    { numRuns: 50 },
  );
});

test('the points of one metric are split over requests, each with resource, scope and metric', (t) => {
  const model = sums(Array.from({ length: 500 }, (_, i) => point(i)));
  const requests = [...encodeRequests(collectionOf(model), { maxBytes: 2048 })];
  t.true(requests.length > 10);
  t.deepEqual(receivedPoints(requests.map(({ bytes }) => decodeExportRequest(bytes))), expectedRows(model));
  for (const { bytes } of requests.slice(0, -1)) t.true(bytes.length > 1900, 'requests are filled');
});

test('the bytes of a request stay as they are while the generator goes on', (t) => {
  const model = sums(Array.from({ length: 200 }, (_, i) => point(i)));
  const generator = encodeRequests(collectionOf(model), { maxBytes: 2048 });
  const first = generator.next().value!;
  const before = Buffer.from(first.bytes);
  for (const _ of generator);
  for (const _ of encodeRequests(collectionOf(model)));
  t.deepEqual(Buffer.from(first.bytes), before);
});

test('two encodings under way at a time do not disturb each other', (t) => {
  const [one, other] = [0, 1000].map((base) => sums(Array.from({ length: 200 }, (_, i) => point(base + i))));
  const generators = [one!, other!].map((model) => encodeRequests(collectionOf(model), { maxBytes: 2048 }));
  const bytes: Uint8Array[][] = [[], []];
  for (let open = 2; open > 0; ) {
    open = 0;
    for (const [i, generator] of generators.entries()) {
      const next = generator.next();
      if (next.done) continue;
      open++;
      bytes[i]!.push(next.value.bytes);
    }
  }
  t.deepEqual(receivedPoints(bytes[0]!.map(decodeExportRequest)), expectedRows(one!));
  t.deepEqual(receivedPoints(bytes[1]!.map(decodeExportRequest)), expectedRows(other!));
});

test('a point that no request can hold is dropped and said, and its neighbours are not', (t) => {
  const model = sums([point(1), point(2, { attributes: { long: 'x'.repeat(5000) } }), point(3)]);
  const dropped: DroppedPoints[] = [];
  const requests = [
    ...encodeRequests(collectionOf(model), { maxBytes: 1024, onDropped: (drop) => dropped.push(drop) }),
  ];
  t.deepEqual(
    receivedPoints(requests.map(({ bytes }) => decodeExportRequest(bytes))).map((row) => row.value),
    [1n, 3n],
  );
  t.deepEqual(
    dropped.map(({ metric: { name }, points, cause }) => [name, points, cause]),
    [['requests', 1, 'too_large']],
  );
});

test('a resource that no request can hold drops its points at once', (t) => {
  const model = sums(Array.from({ length: 1000 }, (_, i) => point(i)));
  model[0]!.attributes = { long: 'x'.repeat(2000) };
  const dropped: number[] = [];
  const requests = [
    ...encodeRequests(collectionOf(model), {
      maxBytes: 1024,
      onDropped: ({ points }) => dropped.push(points),
    }),
  ];
  t.deepEqual(requests, []);
  t.deepEqual(dropped, [1000]);
});

test('the bytes are the same however many points are read at a time', (t) => {
  t.timeout(30_000);
  fc.assert(
    fc.property(
      modelCollections,
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1024, max: 8000 }),
      (model, pointsPerRead, maxBytes) => {
        const bytes = (collection: Collection) =>
          [...encodeRequests(collection, { maxBytes })].map((request) => Buffer.from(request.bytes));
        t.deepEqual(bytes(collectionOf(model, pointsPerRead)), bytes(collectionOf(model)));
      },
    ),
    { numRuns: 50 },
  );
});

test('a metric that is read in many batches is one Metric in each request', (t) => {
  const model = sums(Array.from({ length: 500 }, (_, i) => point(i)));
  const requests = [...encodeRequests(collectionOf(model, 7), { maxBytes: 8192 })];
  t.true(requests.length > 3);
  for (const { bytes } of requests) {
    const [{ scopeMetrics }, ...others] = decodeExportRequest(bytes).resourceMetrics;
    t.deepEqual([others.length, scopeMetrics.length, scopeMetrics[0]!.metrics.length], [0, 1, 1]);
  }
});

test('a large collection is encoded in steps of little work, and gives the same requests', (t) => {
  const points = Array.from({ length: 20_000 }, (_, i) => point(i));
  const collection = collectionOf(sums(points), 1024);
  const steps = [...encodeInSteps(collection)];
  const requests = steps.filter((step) => step !== undefined);
  t.true(steps.length - requests.length >= Math.floor(points.length / 1024));
  t.deepEqual(requests, [...encodeRequests(collection)]);
});

test('so is a collection of many small streams', (t) => {
  const [resource] = sums([point(1)]);
  const [stream] = resource!.scopes[0]!.streams;
  const streams = Array.from({ length: 5000 }, () => stream!);
  const collection = collectionOf([{ ...resource!, scopes: [{ name: 'meter', streams }] }]);
  const steps = [...encodeInSteps(collection)];
  t.true(steps.filter((step) => step === undefined).length > 20);
});

test('an int metric with a value that is no int64 sends a double', (t) => {
  const values = [0.5, Number.POSITIVE_INFINITY, 2 ** 63, -(2 ** 63), 2 ** 62, Number.NaN];
  const model = sums(values.map((value, i) => point(i, { value })));
  const [request] = [...encodeRequests(collectionOf(model))];
  t.deepEqual(
    receivedPoints([decodeExportRequest(request!.bytes)]).map((row) => row.value),
    [0.5, Number.POSITIVE_INFINITY, 2 ** 63, -(2n ** 63n), 2n ** 62n, Number.NaN],
  );
});

test('a request size out of range is refused', (t) => {
  for (const maxBytes of [0, 1023, 2 ** 28, Number.NaN]) {
    t.throws(() => [...encodeRequests(collectionOf([]), { maxBytes })], {
      instanceOf: RangeError,
      message: new RegExp(`maxBytes is ${maxBytes}`),
    });
  }
});
