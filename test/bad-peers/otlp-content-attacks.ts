import { existsSync } from 'node:fs';
import { encodeRequests } from '../../otel/otlp/encode-requests.ts';
import { GrowingSums } from '../otel/export/growing-sums.ts';
import { parseExposition } from '../otel/prometheus/exposition-parser.ts';
import type { Attack } from './attack.ts';
import { post } from './otlp-attacks.ts';
import { randomBytesOf } from './random-bytes.ts';

// Requests of OTLP that are valid but for one place, and those whose texts mean harm to who shows them.

const protobuf = { 'content-type': 'application/x-protobuf' };
const json = { 'content-type': 'application/json' };

const sums = new GrowingSums('cumulative', 3, 'mutated');
sums.add();
const validBytes = [...encodeRequests(sums.collect(Date.now() * 1000))][0]!.bytes;

interface HistogramRequest {
  readonly name?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly service?: string;
}

const attributesOf = (texts: Readonly<Record<string, string>>) =>
  Object.entries(texts).map(([key, stringValue]) => ({ key, value: { stringValue } }));

/** A request with one histogram, as JSON. */
function histogram({ name = 'bad.sizes', attributes = {}, service = 'bad' }: HistogramRequest): string {
  const timeUnixNano = `${Date.now()}000000`;
  const point = {
    ...{ startTimeUnixNano: timeUnixNano, timeUnixNano, count: '3', sum: 6 },
    ...{ bucketCounts: ['1', '2'], explicitBounds: [1], attributes: attributesOf(attributes) },
  };
  const metric = {
    name,
    unit: name,
    description: name,
    histogram: { aggregationTemporality: 2, dataPoints: [point] },
  };
  const resource = { attributes: attributesOf({ 'service.name': service, ...attributes }) };
  const scopeMetrics = [{ scope: { name, version: name }, metrics: [metric] }];
  return JSON.stringify({ resourceMetrics: [{ resource, scopeMetrics }] });
}

/** One change: some bytes are others, more, fewer, or there twice. */
function mutated(bytes: Uint8Array, seed: number): Buffer {
  const [kind = 0, high = 0, low = 0, length = 0] = randomBytesOf(seed, 4);
  const at = (high * 256 + low) % bytes.length;
  const before = bytes.subarray(0, at);
  const behind = bytes.subarray(at);
  const some = 1 + (length % 8);
  const random = randomBytesOf(seed + 1000, some);
  if (kind < 90) return Buffer.concat([before, random, behind.subarray(some)]);
  if (kind < 140) return Buffer.concat([before, random, behind]);
  if (kind < 190) return Buffer.concat([before, behind.subarray(some)]);
  if (kind < 230) return Buffer.concat([before, behind, behind]);
  return Buffer.from(before);
}

function mutations(
  title: string,
  headers: Readonly<Record<string, string>>,
  valid: () => Uint8Array,
): Attack {
  return {
    title: `OTLP: ${title}`,
    ports: ['http'],
    async run(attacked) {
      const bytes = valid();
      if ((await post(attacked, headers, bytes)) !== '200') return 'the valid one is refused';
      for (let seed = 1; seed <= 80; seed++) {
        const answer = await post(attacked, headers, mutated(bytes, seed));
        if (!/^(200( in part)?|400)$/.test(answer)) return `${seed}: ${answer}`;
      }
      return 'taken or refused';
    },
    answer: 'taken or refused',
  };
}

const texts = {
  html: '<script>alert(1)</script>',
  quotes: '"} 1\nup{job="x',
  escapes: '\u001b]0;x\u0007\u001b[2J\r\u009b31m',
  bidi: '\u202eeman\u2066',
  path: '../../../../tmp/streamgauge-escaped',
  object: '__proto__',
  'not text': '\ud800',
};

/** What a browser or terminal would obey, in a name, in `le`, and in what describes a service. */
export const shownAttacks: readonly Attack[] = Object.entries(texts).map(([title, text]) => ({
  title: `OTLP: ${title} in names, values and le`,
  ports: ['http', 'prometheus'],
  async run(attacked) {
    const service = `shown-${title}-${attacked.port}`;
    const attributes = { le: text, quantile: text, [text]: text, __name__: text };
    const answer = await post(
      { ...attacked, port: 'http' },
      json,
      histogram({ name: text, attributes, service }),
    );
    if (!/^(200( in part)?|400)$/.test(answer)) return answer;
    const page = await fetch(`http://${attacked.victim.addresses[attacked.port as 'http']}/metrics`);
    const type = page.headers.get('content-type') ?? '';
    if (!type.startsWith('text/plain;') || page.headers.get('x-content-type-options') !== 'nosniff')
      return type;
    const body = await page.text();
    // Lines are whole: a text that ends one early makes another that is none, or a series that nobody has sent.
    parseExposition(body, false);
    if (/^up\b|^[^{]*[<>]/m.test(body.replace(/^# .*$/gm, ''))) return 'a name or a line of its own';
    if (existsSync('/tmp/streamgauge-escaped')) return 'a file was written';
    return 'harmless';
  },
  answer: 'harmless',
}));

export const otlpContentAttacks: readonly Attack[] = [
  mutations('valid bytes with one change', protobuf, () => validBytes),
  mutations('valid JSON with one change', json, () => Buffer.from(histogram({ service: 'mutated' }))),
  ...(
    [
      ['a text that is longer than it needs', [0xc0, 0xaf, 0xe0, 0x80, 0xaf, 0xf0, 0x80, 0x80, 0xaf]],
      ['half of a pair', [0xed, 0xa0, 0x80]],
      ['more than there are characters', [0xf4, 0x90, 0x80, 0x80]],
      ['a text that breaks off', [0xe2, 0x82]],
    ] as const
  ).map(
    ([title, bytes]): Attack => ({
      title: `OTLP: JSON with ${title}, in UTF-8`,
      ports: ['http'],
      run(attacked) {
        const [before = '', behind = ''] = histogram({ name: 'bad|text' }).split('|', 2);
        return post(
          attacked,
          json,
          Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(behind)]),
        );
      },
      answer: /^(200( in part)?|400)$/,
    }),
  ),
  ...[
    '[]',
    '7',
    'null',
    '"x"',
    '{"resourceMetrics":null}',
    '{"resourceMetrics":[null]}',
    '{"resourceMetrics":[[]]}',
  ].map(
    (text): Attack => ({
      title: `OTLP: ${text} as JSON`,
      ports: ['http'],
      run: (attacked) => post(attacked, json, text),
      answer: /^(200|400)$/,
    }),
  ),
  ...(
    [
      ['a count that is negative', '"count":"3"', '"count":"-3"'],
      ['a count that is an object', '"count":"3"', '"count":{}'],
      ['a time that is a list', '"count":"3"', '"timeUnixNano":[1]'],
      ['bounds that go down', '"explicitBounds":[1]', '"explicitBounds":[1,0,-1]'],
      ['bounds that are texts', '"explicitBounds":[1]', '"explicitBounds":["NaN","Infinity"]'],
      ['attributes that are an object', '"attributes":[', '"attributes":{},"x":['],
      ['two kinds at once', '"histogram":', '"gauge":{"dataPoints":[]},"histogram":'],
      ['a temporality that there is not', '"aggregationTemporality":2', '"aggregationTemporality":77'],
      ['a count beyond all numbers', '"count":"3"', `"count":"${'9'.repeat(10_000)}"`],
    ] as const
  ).map(
    ([title, from, to]): Attack => ({
      title: `OTLP: JSON with ${title}`,
      ports: ['http'],
      run: (attacked) => post(attacked, json, histogram({}).replace(from, to)),
      answer: /^(200( in part)?|400)$/,
    }),
  ),
];
