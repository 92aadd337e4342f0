import assert from 'node:assert/strict';
import { attributes } from '../../../../otel/model/attributes.ts';
import type { KindState } from '../../../../otel/state/kind-state.ts';
import { mergeGauges } from '../../../../otel/state/merge.ts';
import { exponentialValue } from '../../../otel/state/exponential-value.ts';
import { birthUs } from '../../core.ts';
import { catalogue, views } from './catalogue.ts';
import { chunksOf, dump, Side } from './side.ts';

export type Step =
  | { do: 'join'; member: number; region: string }
  | { do: 'define'; member: number; series: number; isSeen: boolean; isNewEpoch: boolean }
  | { do: 'report'; member: number; added: readonly number[] }
  | { do: 'end' | 'idle'; member: number; series: number }
  | { do: 'leave' | 'evict'; member: number }
  | { do: 'wait'; seconds: number }
  | { do: 'collect'; reader: number; isDelivered: boolean }
  | { do: 'save' }
  | { do: 'load' };

interface Truth {
  epoch: number;
  slot: number;
  value: number;
}

/** What is done to one side, with something to compare. */
type Deed = (side: Side) => unknown;

/** Stores and outputs that are told the same: one that was never saved, and one that was, as often as it is asked for. */
export class World {
  nowUs = birthUs;
  /** The first was never saved. */
  #sides = [this.#side().addReaders()];
  readonly #truth = [0, 1, 2].map(() => catalogue.map((): Truth => ({ epoch: 0, slot: 0, value: 0 })));
  readonly #joined = [false, false, false];
  #holders = 0;
  #saved:
    | { side: Side; outputs: ReturnType<Side['outputs']['snapshot']>; since: [Deed, unknown][] }
    | undefined;
  /** How often a side was made from a snapshot. */
  loads = 0;

  take(step: Step): void {
    switch (step.do) {
      case 'join':
        this.#join(step.member, step.region);
        break;
      case 'define':
        this.#define(step.member, step.series, step.isSeen, step.isNewEpoch);
        break;
      case 'report':
        for (const [series, added] of step.added.entries()) this.#report(step.member, series, added);
        break;
      case 'end':
      case 'idle': {
        const truth = this.#truth[step.member][step.series];
        const { slot } = truth;
        if (slot === 0) break;
        if (step.do === 'end') truth.slot = 0;
        this.#do(({ outputs: { store } }) => {
          const state = store.stateOf(catalogue[step.series].metric.kind);
          if (step.do === 'end') store.end(state, slot, this.nowUs);
          else store.idle(state.series, slot, this.nowUs);
        });
        break;
      }
      case 'leave':
      case 'evict':
        if (!this.#joined[step.member]) break;
        if (step.do === 'evict') this.#forget(step.member);
        this.#do(({ outputs: { store } }) => {
          const member = store.members.get(`m${step.member}`)!;
          if (step.do === 'leave') store.leave(member, this.nowUs);
          else store.evict(member, this.nowUs);
        });
        break;
      case 'wait':
        // While a snapshot is written, sweeps wait; the side that is loaded from it would not.
        this.#load();
        this.nowUs += step.seconds * 1e6;
        this.#do(({ outputs }) => [outputs.sweep(), outputs.store.seriesCount, outputs.points]);
        break;
      case 'collect':
        this.#collect(step.reader, step.isDelivered);
        break;
      case 'save':
        this.#save();
        break;
      case 'load':
        this.#load();
        break;
    }
  }

  end(): void {
    this.#save();
    this.#load();
    for (const reader of [0, 1, 2]) this.#collect(reader, true);
    this.take({ do: 'wait', seconds: 4000 });
    for (const reader of [0, 1, 2]) this.#collect(reader, true);
  }

  #side(): Side {
    return new Side(() => this.nowUs, views);
  }

  #do(deed: Deed): void {
    const [first, ...others] = this.#sides;
    const found = deed(first);
    for (const side of others) assert.deepEqual(deed(side), found);
    this.#saved?.since.push([deed, found]);
  }

  #save(): void {
    this.#load();
    const side = this.#sides.at(-1)!;
    side.snapshot.take();
    this.#saved = { side, outputs: side.outputs.snapshot(), since: [] };
  }

  /** Writes what was saved, makes a side of it, and has it do what was done since. */
  #load(): void {
    if (this.#saved === undefined) return;
    const { side, outputs, since } = this.#saved;
    this.#saved = undefined;
    const at = this.nowUs;
    const loaded = this.#side();
    loaded.load(chunksOf(side, outputs)).addReaders();
    assert.deepEqual(loaded.told, []);
    for (const [deed, found] of since) assert.deepEqual(deed(loaded), found);
    assert.equal(this.nowUs, at);
    this.#sides = [this.#sides[0], loaded];
    this.loads++;
    const what = (one: Side) => [
      one.outputs.points,
      one.outputs.overflowed,
      one.problems.conflicts,
      one.problems.inapplicable,
      one.problems.list,
      one.cursors.map((cursor) => ({ ...cursor, name: '', isClaimed: true })),
    ];
    assert.deepEqual(what(loaded), what(this.#sides[0]));
  }

  #forget(member: number): void {
    this.#joined[member] = false;
    for (const truth of this.#truth[member]) truth.slot = 0;
  }

  #join(member: number, region: string): void {
    this.#joined[member] = true;
    // What was its own moves where its resource says.
    for (const truth of this.#truth[member]) truth.slot = 0;
    this.#do(({ outputs: { store } }) => {
      const resource = { attributes: attributes({ region, host: `h${member}` }), schemaUrl: '' };
      store.join(`m${member}`, resource, this.nowUs);
    });
  }

  #define(member: number, series: number, isSeen: boolean, isNewEpoch: boolean): void {
    if (!this.#joined[member]) return;
    const { metric, own } = catalogue[series];
    const truth = this.#truth[member][series];
    if (isNewEpoch) {
      truth.epoch++;
      truth.value = 0;
    }
    const holder = ++this.#holders;
    const { nowUs } = this;
    const { epoch } = truth;
    let slot: number | string = 0;
    this.#do(({ outputs: { store } }) => {
      const known = store.members.get(`m${member}`)!;
      slot = store.define(
        known,
        {
          scope: { name: 'scope', version: '1', attributes: attributes({}), schemaUrl: '' },
          metric,
          attributes: own,
          resource: undefined,
          epoch: metric.kind === 'gauge' ? '' : `${member} ${series} ${epoch}`,
          beganAtUs: isSeen ? nowUs + 1 : undefined,
          startTimeUs: nowUs,
          clock: store.clocks.of(known, 0),
          holder,
        },
        nowUs,
      );
      return slot;
    });
    truth.slot = typeof slot === 'string' ? 0 : slot;
  }

  #report(member: number, series: number, added: number): void {
    const truth = this.#truth[member][series];
    const { slot } = truth;
    if (slot === 0) return;
    truth.value += added;
    const { value } = truth;
    const { nowUs } = this;
    this.#do(({ outputs: { store } }) => {
      const state = store.stateOf(catalogue[series].metric.kind);
      const clock = state.series.clock.get(slot);
      const taken = settle(state, slot, value, nowUs);
      store.timesUs[clock] = nowUs;
      Object.assign(store.members.get(`m${member}`)!, { lastReportUs: nowUs, reportedUs: nowUs });
      store.appear(state, slot);
      return taken;
    });
  }

  #collect(reader: number, isDelivered: boolean): void {
    const { nowUs } = this;
    this.#do(({ outputs, cursors }) => {
      const found = dump(outputs.collect(cursors[reader], nowUs));
      if (isDelivered) outputs.delivered(cursors[reader]);
      return found;
    });
  }
}

/** Brings one number into a series of any kind. */
function settle(state: KindState, slot: number, value: number, nowUs: number): unknown {
  switch (state.kind) {
    case 'sum':
      return state.settle(slot, value);
    case 'gauge': {
      const column = {
        values: Float64Array.of(value % 7),
        attached: Uint32Array.of(slot),
        changed: Uint32Array.of(0),
        changedCount: 1,
      };
      mergeGauges(column, state.values);
      state.windows.report(slot, value % 7, nowUs);
      return state.settle(slot, value % 7);
    }
    case 'histogram':
      return state.settle(
        slot,
        Float64Array.of(value, 2 * value, 1, value % 3 === 0 ? value : 0),
        0,
        value / 3,
      );
    case 'exponential_histogram': {
      const positive = [-5, [value, 0, 2 * value, 1]] as const;
      return state.settle(slot, exponentialValue({ scale: 3, zeroCount: value, positive, sum: value / 7 }));
    }
    case 'summary':
      return state.merge(slot, value, value / 2, Float64Array.of(value, value + 1), 0);
  }
}
