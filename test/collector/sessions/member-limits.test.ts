import test from 'ava';
import { attributesToWire } from '../../../otel/model/any-value.ts';
import { attributes } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import { encodeAgentMessage } from '../../../proto/messages/agent-message.ts';
import type { FakeStream } from '../../model/fake-agent.ts';
import { Core } from '../core.ts';
import { define, report } from '../outputs/members.ts';

const jobs = metric({ name: 'jobs', kind: 'sum', isMonotonic: true });
/** What a stream may hold; a member has four times that. */
const maxSeries = 20;

/** A core whose reader never delivers, so that what has ended waits for it. */
function withDeadBackend(): Core {
  const core = new Core({ limits: { maxSeries } });
  core.outputs.addReader('cumulative');
  return core;
}

let runs = 0;

/** A stream of a new run of the member. */
function member(core: Core, resource = attributes({})): FakeStream {
  const stream = core.stream();
  stream.hello('m', ++runs % 250, resource);
  return stream;
}

/** A member that defines, reports and retires so many series, one after another, and renews its stream now and then. Gives the refusals. */
function churn(core: Core, from: number, to: number) {
  const refusals: unknown[] = [];
  for (let i = from; i < to; ) {
    const stream = member(core);
    for (let n = 0; n < 10 && i < to; n++, i++) {
      const number = define(stream, jobs, attributes({ i: BigInt(i) }));
      core.nowUs += 1000;
      report(core, stream, { [number]: i });
      stream.retire(number, 'gone');
    }
    refusals.push(...stream.received.filter(({ type }) => type === 'refuse'));
    stream.session.closed();
  }
  return refusals;
}

test('a member that defines and retires without end has room for four times what a stream may hold, and is told', (t) => {
  const core = withDeadBackend();
  const refusals = churn(core, 0, 100);
  t.is(core.store.seriesCount, 80);
  t.is(refusals.length, 20);
  t.like(refusals[0], {
    kind: 'limit',
    reason: 'the member has 80 series, ended ones that readers wait for included; at most 80 are held',
    retryDelayMs: 60_000,
  });
  t.is(core.counters.refusedSeries.limit, 20);
  // After an hour what waited is freed, whatever the reader does, and there is room again.
  core.wait(3602);
  t.is(core.store.seriesCount, 0);
  t.is(churn(core, 100, 120).length, 0);
});

test('a series that is known comes back, however many are held', (t) => {
  const core = withDeadBackend();
  churn(core, 0, 80);
  const stream = member(core);
  const number = define(stream, jobs, attributes({ i: 0n }));
  core.nowUs += 1000;
  report(core, stream, { [number]: 3 });
  t.deepEqual(
    stream.received.map(({ type }) => type).filter((type) => type === 'refuse'),
    [],
  );
  t.true(core.values('jobs').includes(3));
});

test('a member whose resource changes all the time is turned away before its old series fill the memory', (t) => {
  const core = withDeadBackend();
  let message: string | undefined;
  let hellos = 0;
  while (message === undefined && hellos < 20) {
    const stream = member(core, attributes({ version: BigInt(hellos++) }));
    message = stream.ended?.message;
    if (message !== undefined) break;
    for (let n = 0; n < 10; n++) define(stream, jobs, attributes({ n: BigInt(n) }));
    stream.session.closed();
  }
  t.regex(message ?? '', /^the resource has changed too often: .* at most 80 are$/);
  t.true(core.store.seriesCount <= 80);
  t.true(hellos > 5);
});

test('a member whose series have long attributes has room for fewer of them, and for as many again once they are freed', (t) => {
  const core = new Core({ limits: { maxSeries, maxAttributeBytes: 4096 } });
  core.outputs.addReader('cumulative');
  // Of 80 series of 256 bytes each.
  const most = 80 * 256;
  const text = 'x'.repeat(4000);
  const stream = member(core);
  const numbers = Array.from({ length: 10 }, (_, i) =>
    define(stream, jobs, attributes({ i: BigInt(i), text })),
  );
  const refused = stream.received.filter(({ type }) => type === 'refuse');
  const taken = 10 - refused.length;
  t.true(taken * 4000 <= most + 4100 && (taken + 1) * 4100 > most, `${taken} were taken`);
  t.regex(
    (refused[0] as { reason: string }).reason,
    /^the member has series with \d+ bytes of attributes, .*; at most 20480 are held$/,
  );
  t.is(core.counters.refusedSeries.limit, refused.length);
  // Another member has room of its own.
  const other = core.stream();
  other.hello('other', 1, attributes({}));
  define(other, jobs, attributes({ text }));
  t.is(other.count('refuse'), 0);
  for (const number of numbers) stream.retire(number, 'gone');
  core.wait(3602);
  define(stream, jobs, attributes({ text }));
  t.is(stream.count('refuse'), refused.length);
});

test('resources and scopes of one stream have room for a kilobyte for each series that it may have', (t) => {
  const core = new Core({ limits: { maxSeries, maxAttributeBytes: 4096 } });
  const stream = member(core);
  const definition = (number: number) =>
    encodeAgentMessage({
      type: 'define',
      resources: [
        { number, attributes: attributesToWire(attributes({ text: 'x'.repeat(4000) })), schemaUrl: '' },
      ],
      scopes: [],
      metrics: [],
      epochs: [],
      series: [],
    });
  for (let number = 1; number <= 5; number++) stream.session.receive(definition(number));
  t.is(stream.ended, undefined);
  stream.session.receive(definition(6));
  t.is(stream.ended?.cause, 'limit');
  t.regex(stream.ended!.message, /^resources\[0\]: .* more than 20480 bytes of attributes/);
});
