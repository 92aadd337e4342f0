import test from 'ava';
import fc from 'fast-check';
import type { ReaderCursor } from '../../../collector/outputs/reader-cursor.ts';
import { attributes } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import { withoutValue } from '../../../otel/state/series-columns.ts';
import { histograms } from '../../otel/state/exponential-arbitraries.ts';
import {
  isNothing,
  type ModelHistogram,
  modelCount,
  modelHistogram,
  modelSum,
  modelTogether,
  plain,
} from '../../otel/state/exponential-model.ts';
import { Core } from '../core.ts';
import { DirectMember, type ExponentialPoint, exponentialPoints } from './direct-member.ts';

const latency = metric({ name: 'latency', kind: 'exponential_histogram', hasMin: true, hasMax: true });

function read(core: Core, cursor: ReaderCursor): ExponentialPoint[] {
  const found: ExponentialPoint[] = [];
  for (const { scopes } of core.outputs.collect(cursor, core.nowUs).resources)
    for (const { streams } of scopes) for (const stream of streams) found.push(...exponentialPoints(stream));
  core.outputs.delivered(cursor);
  return found;
}

test('value, start time, min and max are handed on as they came', (t) => {
  fc.assert(
    fc.property(histograms(), histograms({ zeroThreshold: fc.constant(0) }), (first, second) => {
      const core = new Core();
      core.nowUs += 1_000_000;
      const member = new DirectMember(core, 'm');
      const slot = member.define(latency, attributes({ of: 'm' }), false);
      const startUs = core.nowUs;
      member.exponential(slot, first);
      core.store.exponentialHistograms.takeMin(slot, -3);
      core.store.exponentialHistograms.takeMax(slot, 7);
      const [point] = read(core, core.outputs.passerBy());
      t.deepEqual(plain(point), plain(first));
      t.deepEqual([point.min, point.max, point.startUs, point.timeUs], [-3, 7, startUs, startUs]);
      t.deepEqual(point.attributes, attributes({ of: 'm' }));
      core.nowUs += 1_000_000;
      const both = modelSum(first, second);
      t.is(member.exponential(slot, both), 0);
      const [next] = read(core, core.outputs.passerBy());
      t.deepEqual(plain(next), plain(both));
      t.deepEqual([next.startUs, next.timeUs], [startUs, core.nowUs]);
      const { status } = core.store.exponentialHistograms.series;
      status.set(slot, status.get(slot) | withoutValue);
      t.is(read(core, core.outputs.passerBy())[0].flags, 1);
    }),
    { numRuns: 200 },
  );
});

test('what a delta reader is given adds up to what was counted, while series come, go and begin anew', (t) => {
  const step = fc.record({
    what: fc.constantFrom('report', 'report', 'epoch', 'gone', 'collect', 'sweep'),
    who: fc.nat(3),
    more: histograms(),
  });
  const last = ['collect', 'sweep', 'collect'].map((what) => ({ what, who: 0, more: modelHistogram() }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const core = new Core();
      const cursor = core.outputs.addReader('delta');
      const member = new DirectMember(core, 'm');
      const slots: (number | undefined)[] = [];
      const said: ModelHistogram[] = [];
      const counted = Array.from({ length: 4 }, () => modelHistogram());
      const given = Array.from({ length: 4 }, () => modelHistogram());
      let endUs = core.store.birthUs;
      for (const { what, who, more } of [...steps, ...last]) {
        core.nowUs += 2_000_000;
        if (what === 'sweep') core.outputs.sweep();
        else if (what === 'gone') {
          if (slots[who] !== undefined) member.end(core.store.exponentialHistograms, slots[who]);
          slots[who] = undefined;
        } else if (what === 'collect') {
          for (const point of read(core, cursor)) {
            const of = Number(point.attributes[0][1]);
            t.deepEqual([point.min, point.max], [NaN, NaN]);
            t.deepEqual([point.startUs, point.timeUs], [endUs, core.nowUs]);
            for (const side of [point.positive, point.negative])
              t.true([...side.values()].every((count) => count > 0));
            t.true(point.zeroCount >= 0);
            given[of] = modelSum(given[of], point);
          }
          endUs = core.nowUs;
          for (let i = 0; i < 4; i++) {
            t.is(given[i].sum, counted[i].sum);
            t.is(modelCount(given[i]), modelCount(counted[i]));
            if (isNothing(counted[i])) continue;
            const [one, other] = modelTogether(given[i], counted[i]);
            const only = (h: ModelHistogram) => ({ ...plain(h), zeroThreshold: 0 });
            t.deepEqual(only(one), only(other));
          }
        } else if (what === 'epoch' || slots[who] === undefined) {
          slots[who] = member.define(latency, attributes({ of: BigInt(who) }));
          said[who] = more;
          t.is(member.exponential(slots[who], more), 0);
          counted[who] = modelSum(counted[who], more);
        } else {
          said[who] = modelSum(said[who], more);
          t.is(member.exponential(slots[who], said[who]), 0);
          counted[who] = modelSum(counted[who], more);
        }
      }
    }),
    { numRuns: 200 },
  );
});

test('a stream of many points is read in parts', (t) => {
  const core = new Core();
  const cursors = [core.outputs.passerBy(), core.outputs.addReader('delta')];
  const member = new DirectMember(core, 'm');
  for (let i = 0; i < 1000; i++) {
    const positive = new Map([[i, i + 1]]);
    const slot = member.define(latency, attributes({ of: BigInt(i) }));
    member.exponential(slot, modelHistogram({ scale: 3, positive }));
  }
  for (const cursor of cursors) {
    const points = read(core, cursor);
    t.is(points.length, 1000);
    for (const point of points) {
      const of = Number(point.attributes[0][1]);
      t.deepEqual([...point.positive], [[of, of + 1]]);
    }
  }
});
