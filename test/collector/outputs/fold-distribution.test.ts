import test from 'ava';
import type { ReaderCursor } from '../../../collector/outputs/reader-cursor.ts';
import type { ViewConfig } from '../../../otel/config/metric-views.ts';
import { attributes } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import { bucketIndex } from '../../../otel/state/exponential-mapping.ts';
import { modelCount } from '../../otel/state/exponential-model.ts';
import { Core } from '../core.ts';
import { DirectMember, type ExponentialPoint, exponentialPoints } from './direct-member.ts';

const load = metric({ name: 'load', kind: 'gauge' });
const second = 1_000_000;

const view: ViewConfig = {
  selector: {},
  stream: {
    resourceKeys: [],
    attributeKeys: { included: ['zone'] },
    aggregation: {
      kind: 'base2_exponential_bucket_histogram',
      maxSize: 160,
      maxScale: 4,
      recordMinMax: true,
    },
  },
};

const temporalities = new Set<string | undefined>();

function read(core: Core, cursor: ReaderCursor): ExponentialPoint[] {
  const found: ExponentialPoint[] = [];
  for (const { scopes } of core.outputs.collect(cursor, core.nowUs).resources)
    for (const { streams } of scopes)
      for (const stream of streams) {
        temporalities.add(stream.temporality);
        found.push(...exponentialPoints(stream));
      }
  core.outputs.delivered(cursor);
  return found;
}

test('each collection is one measurement for each present member, in an interval of its own', (t) => {
  const core = new Core({ views: [view] });
  const cursors = [core.outputs.addReader('cumulative'), core.outputs.addReader('delta')];
  const members = [1, 2, 3].map((i) => new DirectMember(core, `m${i}`));
  const slots = members.map((member) => member.define(load));
  let endUs = core.store.birthUs;
  for (const [values, gone] of [
    [[1, 2, 4], undefined],
    [[1, 2, 4], undefined],
    [[8, 2, -4], undefined],
    [[8, 2], 2],
    [[0], 1],
  ] as const) {
    core.nowUs += second;
    if (gone !== undefined) core.store.idle(core.store.gauges.series, slots[gone], core.nowUs);
    for (const [i, value] of values.entries()) members[i].gauge(slots[i], value);
    for (const cursor of cursors) {
      const [point, ...others] = read(core, cursor);
      t.is(others.length, 0);
      t.deepEqual([point.startUs, point.timeUs], [endUs, core.nowUs]);
      t.is(modelCount(point), values.length);
      t.is(
        point.sum,
        values.reduce<number>((sum, value) => sum + value, 0),
      );
      t.deepEqual([point.min, point.max], [Math.min(...values), Math.max(...values)]);
      t.is(point.scale, 4);
      t.is(point.zeroCount, values.filter((value) => value === 0).length);
      for (const value of values) {
        const side = value > 0 ? point.positive : point.negative;
        if (value !== 0) t.is(side.get(bucketIndex(Math.abs(value), 4)), 1);
      }
    }
    endUs = core.nowUs;
  }
  core.store.idle(core.store.gauges.series, slots[0], core.nowUs);
  t.deepEqual(read(core, cursors[0]), []);
  t.deepEqual([...temporalities], ['delta']);
});

test('what is not finite is left out, and what is less than the smallest normal number is counted with it', (t) => {
  const core = new Core({ views: [view] });
  const zones: Record<string, number[]> = {
    nothing: [NaN, Infinity],
    some: [NaN, 3, -Infinity],
    tiny: [5e-324, -1e-310, 2 ** -1022, 0, -0],
    huge: [Number.MAX_VALUE],
  };
  for (const [zone, values] of Object.entries(zones))
    for (const [i, value] of values.entries()) {
      const member = new DirectMember(core, `${zone}${i}`);
      member.gauge(member.define(load, attributes({ zone })), value);
    }
  const points = new Map(read(core, core.outputs.passerBy()).map((point) => [point.attributes[0][1], point]));
  t.deepEqual([...points.keys()].sort(), ['huge', 'some', 'tiny']);
  const some = points.get('some')!;
  t.deepEqual([modelCount(some), some.sum, some.min, some.max], [1, 3, 3, 3]);
  const tiny = points.get('tiny')!;
  t.deepEqual([tiny.zeroCount, tiny.min, tiny.max], [2, -1e-310, 2 ** -1022]);
  t.deepEqual([...tiny.positive], [[-1022 * 16 - 1, 2]]);
  t.deepEqual([...tiny.negative], [[-1022 * 16 - 1, 1]]);
  t.deepEqual([...points.get('huge')!.positive], [[1024 * 16 - 1, 1]]);
});

test('many members and points, read in parts', (t) => {
  const core = new Core({ views: [view] });
  const member = new DirectMember(core, 'm');
  const sums = new Map<string, number>();
  for (let i = 0; i < 5000; i++) {
    const zone = `z${(i * i) % 1500}`;
    const own = attributes({ zone, of: BigInt(i) });
    member.gauge(member.define(load, own), i);
    sums.set(zone, (sums.get(zone) ?? 0) + i);
  }
  const points = read(core, core.outputs.passerBy());
  t.deepEqual(new Map(points.map((point) => [point.attributes[0][1], point.sum])), sums);
  t.is(
    points.reduce((count, point) => count + modelCount(point), 0),
    5000,
  );
});
