import test from 'ava';
import fc from 'fast-check';
import { RequestDecoder } from '../../../../otel/otlp/decode/request-decoder.ts';
import { requestFromJson } from '../../../../otel/otlp/decode/request-from-json.ts';
import { toOtlpJson } from '../../../../otel/otlp/json.ts';
import { InvalidDataError } from '../../../../proto/error.ts';
import { decodeExportRequest } from '../../../sinks/export-request.ts';
import { parseOtlpJson } from '../../../sinks/otlp-json.ts';
import { modelCollections } from '../model-arbitraries.ts';
import { collectionOf } from '../model-collection.ts';
import { decodedPlain, oraclePlain } from './plain-request.ts';

const limits = { maxKnown: 10_000, maxPoints: 1000, maxAttributes: 64, maxAttributeBytes: 4096 };

test('what comes as JSON is what the JSON says', (t) => {
  const decoder = new RequestDecoder(limits);
  fc.assert(
    fc.property(modelCollections, (model) => {
      const text = JSON.stringify(toOtlpJson(collectionOf(model)));
      decoder.decode(requestFromJson(Buffer.from(text)));
      t.deepEqual(decodedPlain(decoder), oraclePlain(parseOtlpJson(text)));
    }),
    { numRuns: 150, seed: 2 },
  );
});

test('any JSON comes to bytes that are a request, or to an error that names a field', (t) => {
  const names = [
    'resourceMetrics',
    'resource',
    'attributes',
    'key',
    'value',
    'arrayValue',
    'values',
    'kvlistValue',
    'intValue',
    'scopeMetrics',
    'metrics',
    'name',
    'sum',
    'dataPoints',
    'asInt',
    'asDouble',
    'timeUnixNano',
    'flags',
    '__proto__',
  ];
  const { any } = fc.letrec<{ any: unknown }>((tie) => ({
    any: fc.oneof(
      { maxDepth: 8 },
      fc.constantFrom<unknown>(null, true, '', '7', 'NaN', 5, -1, 1e300, '-9223372036854775809'),
      fc.array(tie('any'), { maxLength: 2 }),
      fc.dictionary(fc.constantFrom(...names), tie('any'), { maxKeys: 4 }),
    ),
  }));
  const decoder = new RequestDecoder(limits);
  let taken = 0;
  fc.assert(
    fc.property(any, (value) => {
      const text = JSON.stringify({ resourceMetrics: [value] });
      try {
        const bytes = requestFromJson(Buffer.from(text));
        decodeExportRequest(bytes);
        decoder.decode(bytes);
        taken++;
      } catch (error) {
        if (!(error instanceof InvalidDataError)) throw error;
        t.regex(error.message, /^resourceMetrics/);
      }
    }),
    { numRuns: 1000, seed: 1 },
  );
  t.true(taken > 100, `${taken}`);
});

const point = (fields: string) =>
  `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","gauge":{"dataPoints":[{${fields}}]}}]}]}]}`;

function values(text: string): unknown {
  const decoder = new RequestDecoder(limits);
  decoder.decode(requestFromJson(Buffer.from(text)));
  return decodedPlain(decoder)[0]!.points[0];
}

test('64-bit integers come in quotes or not, exactly', (t) => {
  const expected = {
    attributes: '1:ai9007199254740993;',
    startUs: 0,
    timeUs: 1_700_000_000_000_000,
    hasNoRecordedValue: false,
    numbers: [12, 0],
  };
  const attributes = (int: string) => `"attributes":[{"key":"a","value":{"intValue":${int}}}]`;
  t.deepEqual(
    values(point(`"asInt":"12","timeUnixNano":"1700000000000000999",${attributes('"9007199254740993"')}`)),
    expected,
  );
  t.deepEqual(
    values(point(`"asInt":12,"timeUnixNano":1700000000000000999,${attributes('9007199254740993')}`)),
    expected,
  );
});

const refused = test.macro({
  exec(t, text: string, message: RegExp) {
    const error = t.throws(() => requestFromJson(Buffer.from(text)), { instanceOf: InvalidDataError });
    t.regex(error!.message, message);
  },
  title: (_, _text, message) => `refused: ${message}`,
});

test(refused, '', /no JSON/);
test(refused, '[]', /is a list of 0; an object is allowed/);
test(refused, '{"resourceMetrics":{}}', /^resourceMetrics: is an object; a list is allowed/);
test(
  refused,
  point('"asInt":1.5'),
  /^resourceMetrics\[0\]\.scopeMetrics\[0\]\.metrics\[0\]\.gauge\.dataPoints\[0\]\.asInt: is 1\.5/,
);
test(refused, point('"flags":"AGGREGATION"'), /flags: is "AGGREGATION"; a whole number/);
test(refused, point('"timeUnixNano":-1'), /timeUnixNano: is -1/);
test(
  refused,
  point(`"attributes":[{"key":"a","value":${'{"arrayValue":{"values":['.repeat(20)}${']}}'.repeat(20)}}]`),
  /nested more than 16 levels/,
);

test('unknown fields and null are passed over', (t) => {
  t.deepEqual(values(point('"asInt":"3","later":{"a":[1]},"attributes":null,"asDouble":null')), {
    attributes: '',
    startUs: 0,
    timeUs: 0,
    hasNoRecordedValue: false,
    numbers: [3, 0],
  });
});
