import { inspect } from 'node:util';
import type { ExecutionContext } from 'ava';
import { plain } from '../../interop/rows.ts';
import {
  cumulativeFaults,
  deltaFaults,
  numbersOf,
  type ReceivedSeries,
  receivedSeries,
  total,
} from './exports.ts';
import { busy, diskIo, type KnownCounter, latency, queued, type Range, requests, sumOf } from './truth.ts';
import { type Backend, fleet, type World } from './world.ts';

const monotonic = [diskIo, requests, busy];
const passing = new Set([...monotonic, latency].map(({ name }) => name));
const merged = new Set(monotonic.map(({ name }) => fleet(name)));
const all = new Set([...passing, ...merged]);

/** Everything that every backend was sent agrees with what was counted. */
export function checkWorld(t: ExecutionContext, world: World): void {
  for (const backend of world.backends) {
    const series = receivedSeries(backend.sink, all);
    t.is(series.length, expectedSeries(world), `${backend.name}: the number of series`);
    for (const one of series) {
      const faults =
        backend.temporality === 'delta' ? deltaFaults(one, passing.has(one.name)) : cumulativeFaults(one);
      t.deepEqual(faults, [], `${backend.name}: ${nameOf(one)}`);
      if (backend.temporality === 'delta') checkTotal(t, world, backend, one);
      else checkLast(t, world, backend, one);
    }
    checkQueued(t, world, backend);
  }
}

function expectedSeries({ hosts, synthetic }: World): number {
  // A merged output is of one scope, and the synthetic member's disk.io has none.
  return hosts.length * 7 + synthetic.length * 4 + merged.size + 1;
}

function nameOf({ name, instance, attributes }: ReceivedSeries): string {
  return `${name} of ${instance} ${inspect(attributes)}`;
}

/** Delta intervals, passing or merged, add up to what was counted since the collector first knew of the counter. */
function checkTotal(t: ExecutionContext, world: World, { name }: Backend, series: ReceivedSeries): void {
  if (series.name === latency.name) {
    const [{ histogram }] = world.synthetic as [World['synthetic'][number]];
    t.deepEqual(total(series), [...histogram.buckets, histogram.sum], `${name}: ${nameOf(series)}`);
    return;
  }
  checkRange(t, total(series)[0]!, countedBy(world, series), `${name}: ${nameOf(series)} adds up to`);
}

/** The last cumulative value: of a merged output what was counted, of a passing one what stands on the counter in its present life. */
function checkLast(t: ExecutionContext, world: World, { name }: Backend, series: ReceivedSeries): void {
  const title = `${name}: ${nameOf(series)}`;
  const { points } = series;
  const last = points.at(-1)!;
  const value = numbersOf(last)[0]!;
  if (merged.has(series.name)) {
    t.is(new Set(points.map(({ start }) => start)).size, 1, `${title}: its start stays`);
    checkRange(t, value, countedBy(world, series), `${title} is at last`);
    return;
  }
  if (series.name === latency.name) {
    const [{ histogram }] = world.synthetic as [World['synthetic'][number]];
    t.deepEqual(numbersOf(last), [...histogram.buckets, histogram.sum], title);
    t.deepEqual(
      new Set(points.map(({ start }) => start)),
      new Set([nanos(histogram.life.startTimeUs)]),
      title,
    );
    return;
  }
  const [counter] = countersOf(world, series) as [KnownCounter];
  t.is(last.start, nanos(counter.life.startTimeUs), `${title}: the start of its last life`);
  checkRange(t, value, { least: counter.life.value, most: counter.life.value }, `${title} is at last`);
  for (const point of points) {
    const life = counter.lives.find(({ startTimeUs }) => nanos(startTimeUs) === point.start);
    if (life === undefined) t.fail(`${title}: no life began at ${point.start}`);
    else t.true(numbersOf(point)[0]! <= life.value * (1 + 1e-12), `${title}: never more than was counted`);
  }
}

function checkQueued(t: ExecutionContext, world: World, { name, sink }: Backend): void {
  const series = receivedSeries(sink, new Set([queued.name, fleet(queued.name)]));
  const present = world.hosts.reduce((sum, host) => sum + host.queued, 0);
  for (const { name: of, instance, points } of series) {
    const host = world.hosts.find(({ id }) => id === instance);
    t.is(of, host === undefined ? fleet(queued.name) : queued.name);
    t.is(points[0]!.temporality, 'cumulative');
    t.is(numbersOf(points.at(-1)!)[0], host?.queued ?? present, `${name}: ${of} of ${instance}`);
  }
  t.is(series.length, world.hosts.length + 1);
}

function countedBy(world: World, series: ReceivedSeries): Range {
  return sumOf(countersOf(world, series).map(({ counted }) => counted));
}

/** The counters that an output series is made of. */
function countersOf(
  { hosts, synthetic }: World,
  { name, scope, instance, attributes }: ReceivedSeries,
): KnownCounter[] {
  const members = [...hosts, ...synthetic].filter((member) => member.scope === scope);
  if (merged.has(name))
    return members.flatMap(({ counters }) => counters.filter(({ metric }) => fleet(metric.name) === name));
  return members
    .filter(({ id }) => id === instance)
    .flatMap(({ counters }) => counters)
    .filter((one) => one.metric.name === name && inspect(plain(one.attributes)) === inspect(attributes));
}

function checkRange(t: ExecutionContext, value: number, { least, most }: Range, title: string): void {
  // Whole numbers are exact; doubles are bounded.
  const slack = Number.isInteger(value) && Number.isInteger(most) ? 0 : 1e-9 * most;
  t.true(
    value >= least - slack && value <= most + slack,
    `${title} ${value}; counted were ${least === most ? most : `${least} to ${most}`}`,
  );
}

function nanos(timeUs: number): bigint {
  return BigInt(timeUs) * 1000n;
}
