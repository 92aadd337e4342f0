import test from 'ava';
import { attributes } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import { Core } from '../../collector/core.ts';

const of = {
  metric: metric({ name: 'jobs', kind: 'sum', isMonotonic: true }),
  attributes: attributes({}),
  group: 0,
  isForeign: false,
};

test('a series that ends and returns without end is one series that has ended, and is freed once', (t) => {
  const core = new Core();
  const reader = core.outputs.addReader('cumulative');
  const stream = core.stream();
  stream.hello('m', 1, attributes({ host: 'm' }));
  for (let i = 0; i < 3000; i++) stream.retire(stream.define(of, 'e', 1, 0), 'gone');
  t.is(core.store.seriesCount, 1);
  t.true(core.store.endedCount <= 256, `${core.store.endedCount} are listed`);
  core.nowUs += 2e6;
  core.outputs.collect(reader, core.nowUs);
  core.outputs.delivered(reader);
  core.wait(2);
  t.deepEqual([core.store.endedCount, core.store.seriesCount], [0, 0]);
});

test('series that ended are all kept and freed, however often the list is looked through', (t) => {
  const core = new Core();
  const reader = core.outputs.addReader('cumulative');
  const stream = core.stream();
  stream.hello('m', 1, attributes({ host: 'm' }));
  const series = (i: number) => ({ ...of, attributes: attributes({ i: BigInt(i) }) });
  // Every third one returns.
  for (let i = 0; i < 900; i++) {
    stream.retire(stream.define(series(i), `e${i}`, 1, 0), 'gone');
    if (i % 3 === 0) stream.define(series(i), `e${i}`, 1, 0);
  }
  t.is(core.store.seriesCount, 900);
  core.nowUs += 2e6;
  core.outputs.collect(reader, core.nowUs);
  core.outputs.delivered(reader);
  core.wait(2);
  t.deepEqual([core.store.endedCount, core.store.seriesCount], [0, 300]);
});
