import test from 'ava';
import fc from 'fast-check';
import { InvalidDataError } from '../../../proto/error.ts';
import { loadProto } from '../../../proto/load.ts';
import { encodeAck, readAck } from '../../../proto/messages/ack.ts';
import {
  type AgentMessage,
  decodeAgentMessage,
  encodeAgentMessage,
  type Hello,
} from '../../../proto/messages/agent-message.ts';
import type { AnyValue } from '../../../proto/messages/any-value.ts';
import {
  type CollectorMessage,
  decodeCollectorMessage,
  encodeCollectorMessage,
} from '../../../proto/messages/collector-message.ts';
import type { Define } from '../../../proto/messages/define.ts';
import { maxInnerMessages, maxValueDepth } from '../../../proto/messages/structure.ts';

interface Method {
  requestSerialize(message: object): Buffer;
  requestDeserialize(bytes: Buffer): Record<string, never>;
  responseSerialize(message: object): Buffer;
}
const service = loadProto('streamgauge/v1/telemetry_stream.proto')['streamgauge.v1.TelemetryStream'];
const { Connect: protobuf } = service as unknown as { Connect: Method };

const position = { directoryId: Buffer.alloc(16, 1), term: Buffer.alloc(8, 2), journalPosition: 2 ** 52 };

const hello: Hello = {
  type: 'hello',
  protocolVersion: 1,
  memberId: 'host-é',
  incarnation: Buffer.alloc(16, 7),
  bootId: 'boot',
  resource: [{ key: 'host.name', value: { stringValue: 'h', value: 'stringValue' } as AnyValue }],
  resourceSchemaUrl: 'https://opentelemetry.io/schemas/1.30.0',
  capabilities: ['history'],
  clockUs: 1_790_000_000_000_000,
  lastAck: position,
  userAgent: 'streamgauge/0.1.0',
  ackDelayMs: 5000,
};

const define: Define = {
  type: 'define',
  resources: [{ number: 1, attributes: [], schemaUrl: '' }],
  scopes: [{ number: 1, name: 'scope', version: '2', attributes: [], schemaUrl: '' }],
  metrics: [
    {
      number: 1,
      scope: 1,
      name: 'system.cpu.time',
      unit: 's',
      description: 'd',
      kind: 'sum',
      isMonotonic: true,
      valueType: 'double',
      explicitBounds: [0.5, 1],
      quantiles: [0.5],
      hasSum: true,
      hasMin: false,
      hasMax: true,
    },
  ],
  epochs: [
    { number: 1, token: Buffer.from('boot'), beganUs: -5_000_000 },
    { number: 2, token: Buffer.alloc(64), beganUs: undefined },
    { number: 3, token: Buffer.alloc(0), beganUs: 0 },
  ],
  series: [3, 4, 9, 10].map((number) => ({
    number,
    resource: 1,
    metric: 1,
    attributes: [],
    group: 1,
    epoch: 1,
    startTimeUs: 12,
  })),
};

const agentMessages: AgentMessage[] = [
  hello,
  { ...hello, lastAck: undefined, resource: [], capabilities: [] },
  define,
  { type: 'retire', series: [1, 2, 4_000_000_000], reason: 'gone' },
  { type: 'retire', series: [], reason: 'idle' },
  { type: 'answer', instruction: 2 ** 53 - 1, error: 'no' },
  { type: 'goodbye', lastReport: 17 },
];

const limits = { maxMessageBytes: 4_194_304, maxSeries: 1e6, maxAttributes: 64, maxAttributeBytes: 1024 };
const drain: CollectorMessage = {
  type: 'instruct',
  number: 3,
  timeToLiveMs: 0,
  instruction: { type: 'drain', reconnectDelayMs: 500 },
};
const collectorMessages: CollectorMessage[] = [
  { type: 'ack', report: 5, position: undefined },
  { type: 'ack', report: 5, position },
  {
    type: 'welcome',
    session: 's1',
    lastReport: 0,
    durability: 'memory',
    limits,
    clockUs: 1,
    instructions: [drain],
    protocolVersion: 1,
    capabilities: [],
    position: { ...position, journalPosition: 0 },
  },
  {
    type: 'refuse',
    kind: 'epoch_fell',
    report: 9,
    series: [1, 5],
    reason: 'fell',
    fieldPath: 'series[0]',
    retryDelayMs: 0,
  },
  {
    type: 'refuse',
    kind: 'limit',
    report: 0,
    series: [],
    reason: '',
    fieldPath: '',
    retryDelayMs: undefined,
  },
  drain,
  {
    type: 'instruct',
    number: 4,
    timeToLiveMs: 60_000,
    instruction: { type: 'sampling_interval', instrumentName: 'system.*', intervalMs: 250 },
  },
  { type: 'instruct', number: 5, timeToLiveMs: 0, instruction: { type: 'configuration', yaml: 'a: 1' } },
  { type: 'instruct', number: 6, timeToLiveMs: 0, instruction: { type: 'unknown' } },
];

test('messages of the agent come back as they were', (t) => {
  for (const message of agentMessages) t.deepEqual(decodeAgentMessage(encodeAgentMessage(message)), message);
});

test('messages of the collector come back as they were', (t) => {
  for (const message of collectorMessages)
    t.deepEqual(decodeCollectorMessage(encodeCollectorMessage(message)), message);
});

test('series numbers that follow one another are left out on the wire', (t) => {
  const { define: sent } = protobuf.requestDeserialize(encodeAgentMessage(define));
  t.deepEqual(
    (sent as unknown as Define).series.map(({ number }) => number),
    [3, 0, 9, 0],
  );
});

test('a series costs few bytes: what is at its default is left out', (t) => {
  const series = Array.from({ length: 100 }, (_, i) => ({
    number: i + 1,
    resource: 0,
    metric: 1,
    attributes: [],
    group: 1,
    epoch: 0,
    startTimeUs: 0,
  }));
  const bytes = encodeAgentMessage({ ...define, resources: [], scopes: [], metrics: [], epochs: [], series });
  // Tag and length, metric, group.
  t.true(bytes.length <= 100 * 6 + 8, `${bytes.length} bytes`);
});

test('an Ack by hand is that of protobuf, and is read by hand', (t) => {
  const edges = [0, 1, 127, 128, 2 ** 32, 2 ** 53 - 1];
  fc.assert(
    fc.property(
      fc.oneof(fc.nat(), fc.maxSafeInteger().map(Math.abs), fc.constantFrom(...edges)),
      (report) => {
        const bytes = encodeAck(report);
        t.deepEqual(bytes, protobuf.responseSerialize({ ack: { report: String(report) } }));
        t.is(readAck(bytes), report);
        t.deepEqual(decodeCollectorMessage(bytes), { type: 'ack', report, position: undefined });
      },
    ),
    { numRuns: 100 },
  );
});

test('an Ack in another shape is read all the same', (t) => {
  const hex = (text: string) => Buffer.from(text.replace(/ /g, ''), 'hex');
  // Twice the number; an unknown field after it; an unknown field in the outer message.
  for (const bytes of [hex('0a04 0805 0806'), hex('0a05 0806 980601'), hex('0a02 0806 980601')])
    t.deepEqual(decodeCollectorMessage(bytes), { type: 'ack', report: 6, position: undefined });
  t.throws(() => decodeCollectorMessage(hex('0a02 0886')), { instanceOf: InvalidDataError });
});

const invalidAgentMessages: Record<string, [message: object, path: RegExp]> = {
  'nothing at all': [{}, /holds nothing/],
  'a report': [{ groups: [{ group: 1 }] }, /holds a report/],
  'a report beside hello': [{ reportNumber: '1', hello: { memberId: 'a' } }, /holds a report/],
  'no member id': [{ hello: { incarnation: Buffer.alloc(16) } }, /^member_id: has 0 bytes/],
  'a long member id': [{ hello: { memberId: 'é'.repeat(129), incarnation: Buffer.alloc(16) } }, /258 bytes/],
  'a short incarnation': [{ hello: { memberId: 'a', incarnation: Buffer.alloc(15) } }, /^incarnation: /],
  'a short directory id': [
    {
      hello: { memberId: 'a', incarnation: Buffer.alloc(16), lastAck: { directoryId: Buffer.alloc(3) } },
    },
    /^last_ack.directory_id: has 3 bytes/,
  ],
  'a clock beyond 2^53': [
    { hello: { memberId: 'a', incarnation: Buffer.alloc(16), clockUs: String(2n ** 60n) } },
    /^clock_us: /,
  ],
  'a metric without number': [{ define: { metrics: [{ number: 1 }, {}] } }, /^metrics\[1\].number: /],
  'a long token': [{ define: { epochs: [{ number: 1, token: Buffer.alloc(65) }] } }, /^epochs\[0\].token: /],
  'a first series without number': [{ define: { series: [{}] } }, /^series\[0\].number: /],
  'series that do not ascend': [
    { define: { series: [{ number: 5 }, {}, { number: 6 }] } },
    /^series\[2\].number: 6 comes after 6/,
  ],
  'series beyond 2^32': [{ define: { series: [{ number: 2 ** 32 - 1 }, {}] } }, /^series\[1\].number: /],
};

for (const [title, [message, expected]] of Object.entries(invalidAgentMessages))
  test(`refused: ${title}`, (t) => {
    t.throws(() => decodeAgentMessage(protobuf.requestSerialize(message)), {
      instanceOf: InvalidDataError,
      message: expected,
    });
  });

function nested(depth: number): object {
  let value: object = { boolValue: true };
  for (let i = 0; i < depth; i++)
    value = i % 2 ? { arrayValue: { values: [value] } } : { kvlistValue: { values: [{ key: 'k', value }] } };
  return { hello: { memberId: 'a', incarnation: Buffer.alloc(16), resource: [{ key: 'k', value }] } };
}

test('values nested too deep are refused before they are decoded', (t) => {
  t.notThrows(() => decodeAgentMessage(protobuf.requestSerialize(nested(maxValueDepth))));
  t.throws(() => decodeAgentMessage(protobuf.requestSerialize(nested(maxValueDepth + 1))), {
    instanceOf: InvalidDataError,
    message: /16 levels/,
  });
});

test('small bytes do not become a large heap', (t) => {
  const series = (count: number) => {
    const body = Buffer.concat([
      Buffer.from([0x2a, 2, 8, 1]),
      Buffer.alloc(2 * (count - 1), Buffer.from([0x2a, 0])),
    ]);
    const length = [(body.length & 0x7f) | 0x80, ((body.length >> 7) & 0x7f) | 0x80, body.length >> 14];
    return Buffer.concat([Buffer.from([0x1a, ...length]), body]);
  };
  const { series: defined } = decodeAgentMessage(series(20_000)) as Define;
  t.is(defined.length, 20_000);
  t.is(defined[19_999].number, 20_000);
  t.throws(() => decodeAgentMessage(series(maxInnerMessages)), {
    instanceOf: InvalidDataError,
    message: /100000 definitions/,
  });
});

test('any bytes are decoded or refused with an InvalidDataError', (t) => {
  const attempt = (decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array) => {
    try {
      decode(bytes);
    } catch (error) {
      t.true(error instanceof InvalidDataError, `${error} of ${Buffer.from(bytes).toString('hex')}`);
    }
  };
  const whole: [typeof decodeAgentMessage | typeof decodeCollectorMessage, Buffer][] = [
    ...agentMessages.map((message) => [decodeAgentMessage, encodeAgentMessage(message)] as [never, Buffer]),
    ...collectorMessages.map(
      (message) => [decodeCollectorMessage, encodeCollectorMessage(message)] as [never, Buffer],
    ),
  ];
  for (const [decode, bytes] of whole) {
    for (let end = 0; end < bytes.length; end++) attempt(decode, bytes.subarray(0, end));
    for (let bit = 0; bit < 8 * bytes.length; bit += 3) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] ^= 1 << (bit & 7);
      attempt(decode, changed);
    }
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      attempt(decodeAgentMessage, bytes);
      attempt(decodeCollectorMessage, bytes);
    }),
    { numRuns: 500 },
  );
});
