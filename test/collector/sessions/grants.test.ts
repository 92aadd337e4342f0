import test from 'ava';
import type { GrantConfig } from '../../../collector/config/auth-config.ts';
import type { Denial } from '../../../collector/security/denial.ts';
import { configuredGrant } from '../../../collector/security/grant.ts';
import { attributesToWire } from '../../../otel/model/any-value.ts';
import { type Attributes, attributes } from '../../../otel/model/attributes.ts';
import { type AgentMessage, encodeAgentMessage } from '../../../proto/messages/agent-message.ts';
import { type CollectorMessage, decodeCollectorMessage } from '../../../proto/messages/collector-message.ts';
import { Core } from '../core.ts';

function stream(core: Core, more: Partial<GrantConfig>) {
  const config = { permissions: [], agents: ['*'], forced: [], forbidden: [], ...more };
  const sent: CollectorMessage[] = [];
  const denials: Denial[] = [];
  const ends: { cause: string; message: string }[] = [];
  const session = core.sessions.open({
    address: 'test',
    grant: configuredGrant('token t', config),
    denied: (denial) => denials.push(denial),
    send: (bytes) => sent.push(decodeCollectorMessage(bytes)),
    end: (cause, message) => ends.push({ cause, message }),
  });
  const say = (message: AgentMessage) => session.receive(encodeAgentMessage(message));
  const hello = (memberId: string, resource: Attributes) =>
    say({
      type: 'hello',
      protocolVersion: 1,
      memberId,
      incarnation: Buffer.from(memberId.padEnd(16)),
      bootId: 'boot',
      resource: attributesToWire(resource),
      resourceSchemaUrl: '',
      capabilities: [],
      clockUs: 0,
      lastAck: undefined,
      userAgent: '',
      ackDelayMs: 0,
    });
  return { session, sent, denials, ends, say, hello };
}
const tenant = (name: string) => attributes({ 'tenant.id': name });

test('what is forced is put into the resource of the member', (t) => {
  const core = new Core();
  const { hello, sent } = stream(core, { forced: tenant('a') });
  hello('m', attributes({ 'host.name': 'h' }));
  t.is(sent[0]!.type, 'welcome');
  t.deepEqual(
    core.store.members.get('m')!.resource.resource.attributes,
    attributes({ 'host.name': 'h', 'tenant.id': 'a' }),
  );
});

test('the same value is no contradiction', (t) => {
  const { hello, sent } = stream(new Core(), { forced: attributes({ 'tenant.id': 'a', rack: 7n }) });
  hello('m', attributes({ 'tenant.id': 'a', rack: 7n }));
  t.is(sent[0]!.type, 'welcome');
});

const isDenied = test.macro<
  [config: Partial<GrantConfig>, resource: Attributes, cause: string, message: RegExp]
>({
  title: (title) => `denied: ${title}`,
  exec(t, config, resource, cause, message) {
    const core = new Core();
    const { hello, sent, ends, denials } = stream(core, config);
    hello('m', resource);
    t.deepEqual(sent, []);
    t.is(ends.length, 1);
    t.is(ends[0]!.cause, 'denied');
    t.regex(ends[0]!.message, message);
    t.like(denials, [{ cause, who: 'token t' }]);
    t.is(core.store.members.size, 0);
    t.is(core.counters.streamsEnded.denied, 1);
    // What is told of it is bounded elsewhere.
    t.deepEqual(core.logged, []);
  },
});
test(
  'another value of what is forced',
  isDenied,
  { forced: tenant('a') },
  tenant('b'),
  'resource',
  /^hello\.resource: the attribute "tenant\.id" may be "a" only with these credentials, and it is "b"/,
);
test(
  'another type of it',
  isDenied,
  { forced: attributes({ rack: 7n }) },
  attributes({ rack: '7' }),
  'resource',
  /rack/,
);
test(
  'an attribute that is forbidden',
  isDenied,
  { forbidden: ['k8s.*'] },
  attributes({ 'k8s.a': 1 }),
  'resource',
  /"k8s\.a" may not/,
);
test(
  'another member',
  isDenied,
  { agents: ['x', 'M'] },
  [],
  'agent_id',
  /^hello\.member_id: .* speak for "m"/,
);

test('the member of one tenant does not become that of another, live or not', (t) => {
  const core = new Core();
  const first = stream(core, { forced: tenant('a') });
  first.hello('m', []);
  for (const isLive of [true, false]) {
    if (!isLive) first.session.closed();
    const other = stream(core, { forced: tenant('b') });
    other.hello('m', []);
    t.like(other.ends, [{ cause: 'denied' }]);
    t.like(other.denials, [{ cause: 'agent_id' }]);
    t.deepEqual(core.store.members.get('m')!.resource.resource.attributes, tenant('a'));
  }
  t.deepEqual(first.ends, []);
  const again = stream(core, { forced: tenant('a') });
  again.hello('m', []);
  t.is(again.sent[0]!.type, 'welcome');
});

test('series of a relayed resource that contradicts are refused, those of others go on with what is forced', (t) => {
  const core = new Core();
  const { hello, say, sent, ends } = stream(core, { forced: tenant('a'), forbidden: ['secret'] });
  hello('relay', []);
  const resource = (number: number, given: Attributes) => ({
    number,
    attributes: attributesToWire(given),
    schemaUrl: '',
  });
  const series = (number: number) => ({
    number,
    group: 1,
    metric: 1,
    resource: number,
    attributes: [],
    epoch: 0,
    startTimeUs: 0,
  });
  say({
    type: 'define',
    resources: [
      resource(1, attributes({ 'service.name': 's1' })),
      resource(2, attributes({ 'service.name': 's2', 'tenant.id': 'b' })),
      resource(3, attributes({ 'service.name': 's3', secret: 'x' })),
    ],
    scopes: [],
    epochs: [],
    metrics: [
      {
        number: 1,
        scope: 0,
        name: 'g',
        unit: '',
        description: '',
        kind: 'gauge',
        isMonotonic: false,
        valueType: 'double',
        explicitBounds: [],
        hasSum: false,
        hasMin: false,
        hasMax: false,
        quantiles: [],
      },
    ],
    series: [1, 2, 3].map(series),
  });
  t.deepEqual(ends, []);
  const refusals = sent.flatMap((message) => (message.type === 'refuse' ? [message] : []));
  t.deepEqual(
    refusals.map(({ kind, series: [number], fieldPath }) => [kind, number, fieldPath]),
    [
      ['invalid', 2, 'series[1].resource'],
      ['invalid', 3, 'series[2].resource'],
    ],
  );
  t.regex(refusals[0]!.reason, /^resource 2: the attribute "tenant\.id" may be "a"/);
  t.is(core.store.seriesCount, 1);
  const collected = JSON.stringify(
    [...core.outputs.collect(core.outputs.passerBy(), 1).resources].map(
      ({ resource }) => resource.attributes,
    ),
  );
  t.is(core.counters.refusedSeries.invalid, 2);
  t.false(collected.includes('s2') || collected.includes('s3'));
});
