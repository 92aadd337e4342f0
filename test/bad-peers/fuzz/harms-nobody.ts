import assert from 'node:assert/strict';
import { agentViews } from '../../../collector/collector-status.ts';
import { attributes } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import { encodeRequests } from '../../../otel/otlp/encode-requests.ts';
import { ExpositionReport } from '../../../otel/prometheus/exposition-report.ts';
import { PrometheusWriter } from '../../../otel/prometheus/writer.ts';
import { auditLedger } from '../../../otel/state/audit-ledger.ts';
import { Core } from '../../collector/core.ts';
import { define, member, report, view } from '../../collector/outputs/members.ts';
import { parseExposition } from '../../otel/prometheus/exposition-parser.ts';

const things = metric({ name: 'good.things', kind: 'sum', isMonotonic: true, valueType: 'int' });

/**
 * Gives the messages of a peer that means harm to a session of its own, beside a member in order. Throws when anything but that session is
 * hurt: an error that is no refusal, a wrong number for the member, totals that fall, books that do not balance, answers that cannot be read.
 */
export function harmsNobody(messages: readonly Buffer[]): void {
  const core = new Core({
    views: [view({}, 'good.*'), view({ resourceKeys: [] })],
    limits: { maxAttributeBytes: 4096 },
  });
  const good = member(core, 'good', attributes({ 'service.name': 'good' }));
  const number = define(good, things);
  const bad = core.stream();
  let count = 0;
  let fleet = 0;
  for (const message of messages) {
    bad.session.receive(Buffer.from(message));
    core.nowUs += 1e6;
    count += 7;
    report(core, good, { [number]: count });
    const shown = core.values('good.things');
    assert.ok(shown.includes(count), `the member counted ${count}, and it is ${shown} that is shown`);
    const total = Math.max(...shown.map(Number));
    assert.ok(total >= fleet, `a total fell from ${fleet} to ${total}`);
    fleet = total;
  }
  assert.equal(good.ended, undefined);
  assert.deepEqual(
    good.received.filter(({ type }) => type === 'refuse'),
    [],
  );
  bad.session.closed();
  core.wait(1);
  for (const line of auditLedger(core.store)) assert.ok(line.isBalanced, JSON.stringify(line));
  checkAnswers(core);
  assert.deepEqual(Object.keys(Object.prototype), []);
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
}

/** What others are shown of it can be read. */
function checkAnswers(core: Core): void {
  const collect = () => core.outputs.collect(core.outputs.passerBy(), core.nowUs);
  for (const format of ['text', 'openmetrics'] as const) {
    const text = [...new PrometheusWriter().write(collect(), format, new ExpositionReport())].join('');
    parseExposition(text, format === 'openmetrics');
  }
  for (const { bytes } of encodeRequests(collect(), { onDropped: () => {} })) assert.ok(bytes.length > 0);
  JSON.parse(JSON.stringify(agentViews(core.sessions, core.outputs)));
  for (const entry of core.logged) assert.ok(JSON.stringify(entry).length < 100_000);
}
