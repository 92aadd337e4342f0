import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { noOutputsJournal } from '../../../../collector/outputs/outputs-journal.ts';
import type { ReaderCursor } from '../../../../collector/outputs/reader-cursor.ts';
import { compileViews } from '../../../../collector/views/compile-views.ts';
import type { ViewConfig } from '../../../../otel/config/metric-views.ts';
import { attributes } from '../../../../otel/model/attributes.ts';
import { metric } from '../../../../otel/model/metric.ts';
import { emptyScope } from '../../../../otel/model/scope.ts';
import type { SnapshotChunk } from '../../../../otel/snapshot/snapshot-chunk.ts';
import { histograms, valueOfModel } from '../../../otel/state/exponential-arbitraries.ts';
import { type ModelHistogram, modelHistogram, modelSum } from '../../../otel/state/exponential-model.ts';
import { birthUs } from '../../core.ts';
import { view } from '../members.ts';
import { chunksOf, dump, Side } from './side.ts';

/*
 * What exponential histograms were shown with depends on who read them when. A collector that was killed does not have those reads done again: it is told
 * what they changed, and must then be, byte for byte, what it would have been.
 */

const latency = metric({ name: 'latency', kind: 'exponential_histogram', hasSum: true });
const keys = ['x', 'y', 'z'];

function joined(name: string, maxSize: number, included: readonly string[]): ViewConfig {
  const aggregation = {
    kind: 'base2_exponential_bucket_histogram',
    maxSize,
    maxScale: 20,
    recordMinMax: true,
  } as const;
  return view({ name, resourceKeys: [], attributeKeys: { included }, aggregation }, 'latency');
}

/** The same streams in another order, with other ones between them. */
const viewSets = [
  [joined('few', 4, ['key']), joined('many', 9, [])],
  [joined('other', 5, []), joined('many', 9, []), joined('few', 4, ['key'])],
  [joined('few', 4, ['key']), joined('host', 6, ['none'])],
];

const who = fc.nat(2);
const more = histograms();

type Step =
  | { do: 'define'; who: number; key: number; isSeen: boolean; more: ModelHistogram }
  | { do: 'report'; who: number; key: number; more: ModelHistogram }
  | { do: 'end'; who: number; key: number }
  | { do: 'wait'; seconds: number }
  | { do: 'views'; set: number }
  | { do: 'read'; by: 'scrape' | 'cumulative' | 'delta' }
  | { do: 'restart' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('define' as const),
      who,
      key: who,
      isSeen: fc.boolean(),
      more,
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('report' as const), who, key: who, more }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('end' as const), who, key: who }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.constantFrom(2, 2, 5000) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('views' as const), set: fc.nat(2) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      by: fc.constantFrom('scrape' as const, 'cumulative' as const, 'delta' as const),
    }),
  },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'restart' }) },
);

interface ReadSide extends Side {
  readers: { readonly cumulative: ReaderCursor; readonly delta: ReaderCursor };
}

class World {
  /** How many points were told of. */
  told = 0;
  #nowUs = birthUs;
  #views = 0;
  #holders = 0;
  readonly #members = [0, 1, 2].map(() => keys.map(() => ({ epoch: 0, slot: 0, value: modelHistogram() })));
  /** All readers read it. */
  readonly #live: ReadSide;
  /** It is told of what they changed. Delta readers' reads are done again. */
  #replayed: ReadSide;

  constructor() {
    this.#live = this.#withReaders(this.#side());
    this.#replayed = this.#withReaders(this.#side());
    this.#live.outputs.recordIn({
      ...noOutputsJournal,
      shown: (stream, shapes) => {
        for (const shape of shapes) {
          assert.ok(this.#replayed.outputs.showAs(stream, shape));
          this.told++;
        }
      },
    });
  }

  take(one: Step): void {
    this.#nowUs += 1e6;
    switch (one.do) {
      case 'define': {
        const series = this.#members[one.who][one.key];
        series.epoch++;
        series.value = one.more;
        this.#define(one.who, one.key, one.isSeen);
        this.#settle(one.who, one.key);
        break;
      }
      case 'report': {
        const series = this.#members[one.who][one.key];
        if (series.slot === 0) break;
        series.value = modelSum(series.value, one.more);
        this.#settle(one.who, one.key);
        break;
      }
      case 'end': {
        const series = this.#members[one.who][one.key];
        const { slot } = series;
        series.slot = 0;
        if (slot !== 0)
          this.#both(({ outputs: { store } }) => store.end(store.exponentialHistograms, slot, this.#nowUs));
        break;
      }
      case 'wait':
        this.#nowUs += one.seconds * 1e6;
        for (const { outputs, readers } of [this.#live, this.#replayed])
          for (const cursor of Object.values(readers)) outputs.delivered(cursor);
        this.#both(({ outputs }) => outputs.sweep());
        break;
      case 'views':
        this.#views = one.set;
        this.#both(({ outputs }) => outputs.changeViews(compileViews(viewSets[one.set], 300_000)));
        break;
      case 'read':
        this.#read(one.by);
        break;
      case 'restart':
        this.#replayed = this.#withReaders(this.#side().load(saved(this.#replayed)));
        break;
    }
  }

  check(): void {
    assert.deepEqual(saved(this.#replayed), saved(this.#live));
  }

  #side(): Side {
    return new Side(() => this.#nowUs, viewSets[this.#views]);
  }

  #withReaders(side: Side): ReadSide {
    const requests = { format: 'otlp', maxBytes: 0 } as const;
    const readers = {
      cumulative: side.outputs.addReader('cumulative', 'cumulative', requests),
      delta: side.outputs.addReader('delta', 'delta', requests),
    };
    return Object.assign(side, { readers });
  }

  #both(deed: (side: ReadSide) => unknown): unknown {
    const found = deed(this.#live);
    assert.deepEqual(deed(this.#replayed), found);
    return found;
  }

  #read(by: 'scrape' | 'cumulative' | 'delta'): void {
    const collect = ({ outputs, readers }: ReadSide) =>
      outputs.collect(by === 'scrape' ? outputs.passerBy() : readers[by], this.#nowUs);
    if (by === 'delta') this.#both((side) => dump(collect(side)));
    else {
      // The journal tells of a collection, not of what it reads.
      if (by === 'cumulative') collect(this.#replayed);
      dump(collect(this.#live));
    }
  }

  #define(i: number, key: number, isSeen: boolean): void {
    const series = this.#members[i][key];
    const holder = ++this.#holders;
    series.slot = this.#both(({ outputs: { store } }) => {
      const resource = { attributes: attributes({ host: `${i}` }), schemaUrl: '' };
      const owner = store.join(`m${i}`, resource, this.#nowUs);
      return store.define(
        owner,
        {
          scope: emptyScope,
          metric: latency,
          attributes: attributes({ key: keys[key] }),
          resource: undefined,
          epoch: `${i} ${key} ${series.epoch}`,
          beganAtUs: isSeen ? this.#nowUs + 1 : undefined,
          startTimeUs: 0,
          clock: store.clocks.of(owner, 0),
          holder,
        },
        this.#nowUs,
      );
    }) as number;
  }

  #settle(i: number, key: number): void {
    const { slot, value } = this.#members[i][key];
    this.#both(({ outputs: { store } }) => {
      const baseline = store.exponentialHistograms.settle(slot, valueOfModel(value));
      store.appear(store.exponentialHistograms, slot);
      return baseline;
    });
  }
}

/** All that a checkpoint would hold. */
function saved(side: Side): SnapshotChunk[] {
  side.snapshot.take();
  return chunksOf(side);
}

test('what reads changed is the same after a restart as before it, byte for byte', (t) => {
  let told = 0;
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 40, size: 'max' }), (steps) => {
        const world = new World();
        for (const one of steps) {
          world.take(one);
          world.check();
        }
        told += world.told;
      }),
      { numRuns: 60 },
    ),
  );
  t.true(told > 100, `${told} points were told of`);
});
