import test from 'ava';
import type { ReaderCursor } from '../../../collector/outputs/reader-cursor.ts';
import { type AttributeValue, attributes } from '../../../otel/model/attributes.ts';
import { auditLedger } from '../../../otel/state/audit-ledger.ts';
import { type MetricStream, noMore, PointBatch } from '../../../otel/state/point-batch.ts';
import { Random } from '../../integration/conservation/random.ts';
import type { FakeStream } from '../../model/fake-agent.ts';
import { birthUs, Core } from '../core.ts';
import { member, view } from '../outputs/members.ts';
import { type Counter, counters } from './counters.ts';

/** More than an output reads at a time: of exponential histograms it is less. */
function atFirst({ metric }: Counter): number {
  return metric.kind === 'exponential_histogram' ? 300 : 1100;
}

const rounds = 6;

interface Series {
  readonly id: number;
  readonly life: number;
  n: number;
}

/** Two members whose series come, count and go. Series with the same id are one point of the merged view. */
class Fleet {
  readonly core: Core;
  readonly counter: Counter;
  readonly random = new Random(4);
  /** By output and id, how much was counted. */
  readonly truth = new Map<string, number>();
  readonly #members: { stream: FakeStream; name: string; series: Map<number, Series> }[];
  #ids = 0;
  #epochs = 0;

  constructor(core: Core, counter: Counter) {
    this.core = core;
    this.counter = counter;
    this.#members = ['a', 'b'].map((name) => ({ stream: member(core, name), name, series: new Map() }));
    for (let i = 0; i < atFirst(counter); i++) this.#define(++this.#ids);
    this.report();
  }

  /** Something happens to some of the series, and both members report. */
  act(): void {
    const { random } = this;
    for (let i = 0; i < 3; i++) this.#define(++this.#ids);
    for (const { stream, series } of this.#members)
      for (const number of series.keys()) {
        if (random.int(0, 199) > 0) continue;
        const { id } = series.get(number)!;
        stream.retire(number, 'gone');
        series.delete(number);
        // Some are back at once, in another life.
        if (random.int(0, 1) === 0) this.#defineOn(stream, series, id);
      }
    this.report();
  }

  report(): void {
    this.core.nowUs += 1000;
    for (const { stream, name, series } of this.#members) {
      for (const one of series.values()) {
        const added = this.random.int(0, 3);
        one.n += added;
        for (const key of [`total ${one.id}`, `own ${name} ${one.id}`])
          this.truth.set(key, (this.truth.get(key) ?? 0) + added);
      }
      const state = this.counter.state([...series.values()]);
      stream.send([{ group: 0, timeUs: this.core.nowUs, ...state }], stream.columns.lastReport + 1);
      if (stream.ended !== undefined) throw new Error(stream.ended.message);
    }
  }

  #define(id: number): void {
    for (const { stream, series } of this.#members) this.#defineOn(stream, series, id);
  }

  #defineOn(stream: FakeStream, series: Map<number, Series>, id: number): void {
    const own = attributes({ id: BigInt(id) });
    const of = { metric: this.counter.metric, attributes: own, group: 0, isForeign: false };
    const number = stream.define(of, `e${++this.#epochs}`, this.core.nowUs - birthUs + 1, 0);
    series.set(number, { id, life: this.#epochs, n: 0 });
  }
}

for (const counter of counters)
  test(`${counter.name}: a delta collection that is read in turns with reports, definitions, endings, sweeps and other collections loses and doubles nothing`, (t) => {
    const { name } = counter.metric;
    const views = [
      view({ name: 'own' }, name),
      view({ name: 'total', resourceKeys: [], cardinalityLimit: 5000 }, name),
    ];
    const core = new Core({ views, limits: { maxSeries: 40_000 } });
    const readers = [1, 2].map(() => ({
      cursor: core.outputs.addReader('delta'),
      added: new Map<string, number>(),
    }));
    const fleet = new Fleet(core, counter);
    const batch = new PointBatch();

    const take = (added: Map<string, number>, prefix: string) => {
      for (let i = 0; i < batch.size; i++) {
        const id = batch.seriesAttributes[i].attributes.map(
          ([, value]: readonly [string, AttributeValue]) => value,
        );
        const key = `${prefix} ${id}`;
        added.set(key, (added.get(key) ?? 0) + counter.amount(t, batch, i));
      }
    };
    /** Reads a collection whole, or with `between` after each turn; delivered at its end. */
    const collect = (reader: { cursor: ReaderCursor; added: Map<string, number> }, between: () => void) => {
      core.nowUs += 1000;
      const collection = core.outputs.collect(reader.cursor, core.nowUs);
      const release = collection.hold!();
      const streams: [string, MetricStream][] = [];
      for (const { resource, scopes } of collection.resources)
        for (const scope of scopes)
          for (const stream of scope.streams) {
            const [host] = resource.attributes.filter(([key]) => key === 'host').map(([, value]) => value);
            streams.push([stream.metric.name === 'own' ? `own ${host}` : 'total', stream]);
          }
      let turns = 0;
      for (const [prefix, stream] of streams)
        for (let at = 0; at !== noMore; turns++) {
          at = stream.read(batch, at);
          take(reader.added, prefix);
          between();
        }
      release();
      core.outputs.delivered(reader.cursor);
      return turns;
    };
    const [slow, quick] = readers;
    let turns = 0;
    let freed = 0;
    for (let round = 0; round < rounds; round++) {
      fleet.report();
      const before = core.store.endedCount;
      turns += collect(slow, () => {
        if (fleet.random.int(0, 3) > 0) return;
        fleet.act();
        core.wait(1);
        if (fleet.random.int(0, 1) === 0) collect(quick, () => {});
      });
      core.wait(2);
      freed += Math.max(0, before - core.store.endedCount);
    }
    t.true(turns > 4 * rounds, `${turns} turns`);
    t.true(freed > 0, 'series were freed in between');
    for (const reader of readers) {
      collect(reader, () => {});
      const wrong = [...fleet.truth].filter(([key, n]) => (reader.added.get(key) ?? 0) !== n);
      t.deepEqual(wrong.slice(0, 5), [], 'what intervals come to is what was counted');
    }
    t.true(auditLedger(core.store).every(({ isBalanced }) => isBalanced));
    core.sessions.stop();
  });
