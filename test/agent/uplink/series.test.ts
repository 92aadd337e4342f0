import test from 'ava';
import fc from 'fast-check';
import { silentLog } from '../../../agent/log.ts';
import { AgentState } from '../../../agent/state/agent-state.ts';
import { SamplingGroup } from '../../../agent/state/sampling-group.ts';
import { StreamReports } from '../../../agent/uplink/stream-reports.ts';
import { HeldSeries } from '../../../otel/stream/held-series.ts';
import { StreamCounters } from '../../../otel/stream/stream-status.ts';
import { encodeAgentMessage } from '../../../proto/messages/agent-message.ts';
import { FakeClock } from '../fake-clock.ts';
import { FakeCollector, SeenStream } from './fake-collector.ts';
import { counter, gauge, testIncarnation, uplinkRig } from './uplink-rig.ts';

test('a cell that is freed and used again between two reports is another series', async (t) => {
  await using collector = await FakeCollector.start();
  await using rig = uplinkRig(collector.address);
  const cell = rig.group.define(counter('old'));
  rig.group.setCounter(cell, 100);
  rig.uplink.start();
  rig.tick();
  const stream = await collector.reported(0, 1);
  rig.group.retire(cell, 'idle');
  t.is(rig.group.define(counter('new')), cell);
  rig.group.setCounter(cell, 3);
  rig.tick();
  await collector.reported(0, 2);
  t.is(stream.series.get(1)!.retired, 'idle');
  t.is(stream.series.get(1)!.value, 100);
  t.like(stream.live('new'), { number: 2, value: 3 });
});

test('a fall opens a new epoch under a new number', async (t) => {
  await using collector = await FakeCollector.start();
  await using rig = uplinkRig(collector.address);
  const cell = rig.group.define(counter('octets'));
  rig.group.setCounter(cell, 100);
  rig.uplink.start();
  rig.tick();
  const stream = await collector.reported(0, 1);
  rig.group.setCounter(cell, 4);
  rig.group.setCounter(cell, 2);
  rig.tick();
  await collector.reported(0, 2);
  t.is(stream.series.get(1)!.retired, 'gone');
  t.like(stream.live('octets'), { number: 2, value: 2, epoch: 'boot/octets#feedfacefeedface.2' });
});

test('a series that was idle returns under a new number with the same epoch', async (t) => {
  await using collector = await FakeCollector.start();
  await using rig = uplinkRig(collector.address);
  const series = counter('octets');
  const cell = rig.group.define(series);
  rig.uplink.start();
  rig.tick();
  const stream = await collector.reported(0, 1);
  rig.group.retire(cell, 'idle');
  rig.group.define(gauge('other'));
  rig.tick();
  await collector.reported(0, 2);
  rig.group.define(series);
  rig.tick();
  await collector.reported(0, 3);
  t.like(stream.live('octets'), { number: 3, epoch: 'boot/octets' });
  t.is(stream.defines.flatMap(({ epochs }) => epochs).length, 1);
});

test('series that change often have the first numbers, those that seldom do the last', async (t) => {
  await using collector = await FakeCollector.start();
  await using rig = uplinkRig(collector.address);
  rig.group.define(counter('never', { changes: 'seldom' }));
  rig.group.define(counter('now and then'));
  rig.group.define(counter('always', { changes: 'often' }));
  rig.group.define(counter('again', { changes: 'often' }));
  rig.uplink.start();
  rig.tick();
  const stream = await collector.reported(0, 1);
  for (const [i, name] of ['always', 'again', 'now and then', 'never'].entries())
    t.is(stream.live(name)!.number, i + 1, name);
});

/** What a source may do between two reports. */
type Step =
  | { readonly do: 'define' | 'report'; readonly kind: 'sum' | 'gauge' }
  | { readonly do: 'set' | 'epoch' | 'retire'; readonly at: number; readonly value: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constantFrom('define' as const, 'report' as const),
    kind: fc.constantFrom('sum' as const, 'gauge' as const),
  }),
  fc.record({
    do: fc.constantFrom('set' as const, 'set' as const, 'epoch' as const, 'retire' as const),
    at: fc.nat(20),
    value: fc.double({ noNaN: true, noDefaultInfinity: true }),
  }),
);

test('whatever comes, goes and changes between reports, the other side sees the group as it is', (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const group = new SamplingGroup(1, 1000, testIncarnation);
      // The receiver is the fake collector's, which decodes definitions with proto-loader.
      const seen = new SeenStream(undefined as never);
      const clock = new FakeClock();
      const reports = new StreamReports({
        groups: () => [group],
        clock,
        state: new AgentState({ incarnation: testIncarnation, clock, log: silentLog }),
        held: new HeldSeries(),
        counters: new StreamCounters(),
        limits: { maxMessageBytes: 0, maxSeries: 0, maxAttributes: 0, maxAttributeBytes: 0 },
        welcomeMs: 0,
        writeControl: (message) => seen.take(encodeAgentMessage(message)),
        writeReport: (bytes) => seen.take(Buffer.from(bytes)),
        onLeftOut: () => t.fail(),
      });
      let made = 0;
      const report = () => {
        group.collections++;
        group.timeUs += 1_000_003;
        reports.cut();
        const expected: string[] = [];
        for (let cell = 0; cell < group.cells; cell++) {
          const series = group.seriesAt(cell);
          if (series)
            expected.push(`${series.metric.name} ${series.epoch?.token ?? ''} ${group.values[cell]}`);
        }
        const live = [...seen.series.values()].filter(({ retired }) => retired === undefined);
        t.deepEqual(
          live.map(({ metric, epoch, value }) => `${metric} ${epoch} ${value}`).sort(),
          expected.sort(),
        );
      };
      for (const one of steps) {
        if (one.do === 'define') {
          const name = `m${made++}`;
          group.define(one.kind === 'sum' ? counter(name) : gauge(name));
        } else if (one.do === 'report') {
          report();
        } else if ('at' in one && group.cells > 0 && group.seriesAt(one.at % group.cells)) {
          const cell = one.at % group.cells;
          const isSum = group.seriesAt(cell)!.metric.kind === 'sum';
          if (one.do === 'retire') group.retire(cell, one.value > 0 ? 'gone' : 'idle');
          else if (one.do === 'set') isSum ? group.setCounter(cell, one.value) : group.set(cell, one.value);
          else if (isSum) group.openEpoch(cell);
        }
      }
      report();
    }),
    { numRuns: 150 },
  );
});
