import { AttributeMap, type Attributes, attributes } from '../../../../otel/model/attributes.ts';
import { type MetricDescription, metric } from '../../../../otel/model/metric.ts';
import type { Resource } from '../../../../otel/model/resource.ts';
import { emptyScope, type InstrumentationScope } from '../../../../otel/model/scope.ts';
import { SectionsLoading } from '../../../../otel/snapshot/load-sections.ts';
import type { SnapshotChunk } from '../../../../otel/snapshot/snapshot-chunk.ts';
import { SnapshotWriter } from '../../../../otel/snapshot/snapshot-writer.ts';
import { auditLedger } from '../../../../otel/state/audit-ledger.ts';
import { PointIntake } from '../../../../otel/state/intake/point-intake.ts';
import { kindsByCode } from '../../../../otel/state/member-series.ts';
import { MetricStore } from '../../../../otel/state/metric-store.ts';
import { StoreSnapshot } from '../../../../otel/state/snapshot/store-snapshot.ts';
import { exponentialValue } from '../exponential-value.ts';

export const second = 1_000_000;
export const birthUs = 1_000 * second;

export const resources: readonly Resource[] = [
  { attributes: attributes({ 'service.name': 'a' }), schemaUrl: '' },
  {
    attributes: attributes({ 'service.name': 'b', 'host.cpus': 8n, share: 0.5, up: true }),
    schemaUrl: 'https://s',
  },
  {
    attributes: attributes({
      nothing: null,
      raw: Uint8Array.of(0, 255),
      list: [1n, 'x', [-0]],
      map: new AttributeMap([['k', 'v']]),
    }),
    schemaUrl: '',
  },
];

export const metrics: readonly MetricDescription[] = [
  metric({ name: 'jobs', kind: 'sum', isMonotonic: true, valueType: 'int' }),
  metric({ name: 'open', kind: 'sum' }),
  metric({ name: 'load', kind: 'gauge', unit: '1' }),
  metric({ name: 'took', kind: 'histogram', explicitBounds: [1, 10], hasSum: true, hasMin: true }),
  metric({ name: 'waited', kind: 'histogram', hasSum: true }),
  metric({ name: 'sizes', kind: 'exponential_histogram', hasSum: true, hasMax: true }),
  metric({ name: 'spread', kind: 'summary', quantiles: [0.5, 0.99], description: 'größe' }),
];

const scopes: readonly InstrumentationScope[] = [
  emptyScope,
  { name: 'lib', version: '1.0', attributes: attributes({ a: 1n }), schemaUrl: '' },
];
const sets: readonly Attributes[] = [
  attributes({}),
  attributes({ route: '/x' }),
  attributes({ route: '/y', code: 200n }),
];

/** What is done to a state. All numbers are small, so that the same things are met again and again; `n` is used as the operation needs it. */
export interface Step {
  readonly op: (typeof stepNames)[number];
  readonly member: number;
  readonly series: number;
  readonly n: number;
  readonly value: number;
  /** How much time passes before it, in seconds. */
  readonly afterS: number;
}

export const stepNames = [
  'join',
  'define',
  'define',
  'report',
  'report',
  'report',
  'retire',
  'leave',
  'expire',
  'evict',
  'release',
  'refuse',
  'watch',
  'reduce',
  'definePoint',
  'point',
  'point',
  'retirePoint',
  'expirePoints',
] as const;

/** A store with all that surrounds it, driven by steps. It keeps nothing that the store or its callers would not keep. */
export class StoreWorld {
  readonly store: MetricStore;
  readonly intake: PointIntake;
  readonly snapshot: StoreSnapshot;
  /** Handles of point series by name, which callers keep. */
  readonly handles = new Map<string, number>();

  /** @param birth of the store; what is loaded has its own */
  constructor(birth = birthUs) {
    this.store = new MetricStore(birth, () => {});
    this.intake = new PointIntake(this.store, { delayMarginUs: 0 });
    this.snapshot = new StoreSnapshot(this.store, this.intake);
    this.store.gauges.windows.addReader();
    this.store.gauges.windows.addReader();
  }

  /** Makes an equal world, by way of a snapshot. */
  copied(): StoreWorld {
    return this.restored(chunksOf(this.snapshot));
  }

  restored(chunks: readonly SnapshotChunk[]): StoreWorld {
    const world = new StoreWorld(0);
    const loading = new SectionsLoading(world.snapshot.loaders);
    for (const chunk of chunks) loading.take(chunk);
    loading.end();
    world.snapshot.finish();
    for (const [name, handle] of this.handles) world.handles.set(name, handle);
    return world;
  }

  /** Does one step at this time. Gives what its caller sees of it. */
  step(step: Step, nowUs: number): unknown {
    const { store, intake } = this;
    const { op, n, value } = step;
    const id = `m${step.member}`;
    if (op === 'join') return store.join(id, resources[n % resources.length]!, nowUs).index;
    const member = store.members.get(id) ?? store.join(id, resources[0]!, nowUs);
    const description = metrics[step.series % metrics.length]!;
    const state = store.stateOf(description.kind);
    const identity = {
      scope: scopes[step.series % scopes.length]!,
      metric: description,
      attributes: sets[n % sets.length]!,
      resource: n % 5 === 4 ? resources[n % resources.length] : undefined,
    };
    const name = `${id} ${step.series} ${n % 15}`;
    switch (op) {
      case 'define': {
        const clock = store.clocks.of(member, n % 3);
        return store.define(
          member,
          {
            ...identity,
            epoch: state.kind === 'gauge' ? '' : `e${value % 3}`,
            beganAtUs: value % 2 === 0 ? nowUs : undefined,
            startTimeUs: value % 4 === 0 ? 0 : nowUs - value * second,
            clock,
            holder: 1 + (value % 2),
          },
          nowUs,
        );
      }
      case 'report':
        return this.#report(step, nowUs);
      case 'retire':
        return this.#aSlot(step, (slot) =>
          value % 2 === 0 ? store.end(state, slot, nowUs) : store.idle(state.series, slot, nowUs),
        );
      case 'leave':
        return store.leave(member, nowUs);
      case 'expire':
        return store.expire(member, 1, nowUs, 20 * second);
      case 'evict':
        return store.evict(member, nowUs);
      case 'release': {
        const beforeS = store.secondsAt(nowUs) - (n % 4);
        return [store.hasReleasable(beforeS), store.releaseEnded(beforeS), store.endedCount];
      }
      case 'refuse':
        return store.ledger.refuse(id, description.name, `cause ${n % 3}`, 1, value);
      case 'watch':
        return this.#aSlot({ ...step, series: 2 }, (slot) => store.gauges.windows.watch(slot));
      case 'reduce': {
        const how = (['min', 'max', 'mean'] as const)[n % 3]!;
        const { gauges } = store;
        if (value % 3 === 0) gauges.windows.collected(value % 2);
        return this.#aSlot({ ...step, series: 2 }, (slot) =>
          gauges.windows.reduce(slot, how, value % 2, gauges.values.get(slot)),
        );
      }
      case 'definePoint': {
        const handle = intake.define(member, identity, nowUs);
        if (typeof handle === 'number') this.handles.set(name, handle);
        return handle;
      }
      case 'point':
        return this.#point(this.handles.get(name) ?? 0, description, step, nowUs);
      case 'retirePoint':
        return intake.retire(this.handles.get(name) ?? 0, value % 2 === 0 ? 'gone' : 'idle', nowUs);
      case 'expirePoints':
        return intake.expire(nowUs, 10 * second, 40 * second);
    }
  }

  /** One of the slots that are in use, by the step's numbers. */
  #aSlot(step: Step, use: (slot: number) => unknown): unknown {
    const { series } = this.store.stateOf(metrics[step.series % metrics.length]!.kind);
    const inUse = [...series.slotsInUse().entries()]
      .filter(([, isUsed]) => isUsed === 1)
      .map(([slot]) => slot);
    return inUse.length === 0 ? 'none' : use(inUse[step.n % inUse.length]!);
  }

  #report(step: Step, nowUs: number): unknown {
    const { store } = this;
    return this.#aSlot(step, (slot) => {
      const state = store.stateOf(metrics[step.series % metrics.length]!.kind);
      const { value } = step;
      const clock = state.series.clock.get(slot);
      store.timesUs[clock] = nowUs;
      store.appear(state, slot);
      switch (state.kind) {
        case 'sum': {
          const setAside = state.settle(slot, value);
          if (setAside !== undefined) store.setAside(state, slot, setAside);
          return [setAside, state.counted(slot)];
        }
        case 'gauge':
          if (value % 5 === 0) state.windows.leave(slot);
          if (value % 13 === 0) state.windows.skip(slot, nowUs);
          else state.windows.report(slot, value, nowUs);
          return state.settle(slot, value);
        case 'histogram': {
          const buckets = Float64Array.from({ length: state.widths.get(slot) }, (_, i) => value + i);
          const setAside = state.settle(slot, buckets, 0, value / 3);
          if (setAside !== undefined) store.setAside(state, slot, setAside);
          state.takeMin(slot, value);
          return [setAside, state.countedCount(slot), state.mins.get(slot)];
        }
        case 'exponential_histogram': {
          const point = exponentialValue({
            scale: (value % 6) - 1,
            zeroThreshold: value % 7 === 0 ? 0.5 : 0,
            zeroCount: value,
            positive: [-value, Array.from({ length: 1 + step.n }, (_, i) => (value + i) % 4)],
            negative: [3, [value % 2]],
            sum: value / 3,
          });
          const setAside = state.settle(slot, point);
          if (setAside !== undefined) store.setAside(state, slot, setAside);
          state.takeMax(slot, value);
          return [
            setAside,
            setAside === undefined ? state.fault : '',
            state.values.count(slot) + state.offsets.count(slot),
          ];
        }
        default:
          return state.settle(slot, value, value / 3, Float64Array.of(value, -value), 0);
      }
    });
  }

  #point(handle: number, description: MetricDescription, step: Step, nowUs: number): unknown {
    const { intake } = this;
    const { n, value } = step;
    const temporality = n % 2 === 0 ? 'delta' : 'cumulative';
    const timeUs = nowUs - (value % 3) * second;
    const startUs = value % 5 === 0 ? 0 : Math.max(0, timeUs - (value % 4) * second);
    switch (description.kind) {
      case 'sum':
        return [intake.sum(handle, temporality, startUs, timeUs, value, nowUs), intake.setAside];
      case 'gauge':
        return value % 4 === 0
          ? intake.withoutValue(handle, timeUs, nowUs)
          : intake.gauge(handle, timeUs, value, nowUs);
      case 'histogram': {
        const counts = Float64Array.from(
          { length: description.explicitBounds.length + 1 },
          (_, i) => value + i,
        );
        return intake.histogram(
          handle,
          temporality,
          startUs,
          timeUs,
          counts,
          0,
          counts.length,
          value / 7,
          value,
          NaN,
          nowUs,
        );
      }
      case 'exponential_histogram': {
        const positive = [n, [value, 1]] as const;
        const point = exponentialValue({ scale: value % 4, zeroCount: 1, positive, sum: value });
        return intake.exponentialHistogram(handle, temporality, startUs, timeUs, point, NaN, value, nowUs);
      }
      case 'summary':
        return intake.summary(
          handle,
          startUs,
          timeUs,
          value,
          value / 7,
          Float64Array.of(value, value),
          0,
          2,
          nowUs,
        );
    }
  }

  /** Everything that can be seen of the state, through what it shows. */
  seen(): unknown {
    const { store, intake } = this;
    return {
      birthUs: store.birthUs,
      horizonUs: store.horizonUs,
      epochsOpened: store.epochsOpened,
      seriesCount: store.seriesCount,
      endedCount: store.endedCount,
      sizes: [
        store.references.definitions.size,
        store.references.resources.size,
        store.references.epochs.size,
        store.clocks.size,
      ],
      points: [intake.size, intake.deltaSeries],
      members: [...store.members].map((member) => ({
        ...member,
        series: [...member.series.sorted()],
        clocks: [...member.clocks].map(([group, clock]) => [group, clock, store.timesUs[clock]]),
      })),
      metrics: [...store.definitions.metrics()].map(({ entry, series, attributeSets, allAttributes }) => ({
        ...entry,
        series,
        attributeSets,
        all: [...allAttributes()]
          .map((list) => JSON.stringify(list, (_, v) => (typeof v === 'bigint' ? `${v}n` : v)))
          .sort(),
      })),
      ledger: [...store.ledger],
      audit: auditLedger(store),
      kinds: kindsByCode.map((kind) => this.#seenOf(kind)),
    };
  }

  #seenOf(kind: MetricDescription['kind']): unknown {
    const { store } = this;
    const state = store.stateOf(kind);
    const { series } = state;
    const slots = [...series.slotsInUse().entries()]
      .filter(([, isUsed]) => isUsed === 1)
      .map(([slot]) => slot);
    return slots.map((slot) => ({
      slot,
      definition: store.definitions.at(series.definition.get(slot)).entry.key,
      resource: store.resourceAt(series.resource.get(slot)).key,
      member: store.members.at(series.member.get(slot))!.id,
      timeUs: store.timesUs[series.clock.get(slot)],
      status: series.status.get(slot),
      startTimeUs: series.startTimeUs.get(slot),
      absentAtS: series.absentAtS.get(slot),
      holder: series.holder.get(slot),
      values:
        state.kind === 'sum'
          ? [state.values.get(slot), state.counted(slot)]
          : state.kind === 'gauge'
            ? state.values.get(slot)
            : state.kind === 'histogram'
              ? [
                  state.reportedCount(slot),
                  state.countedCount(slot),
                  state.sums.get(slot),
                  state.sumOffsets.get(slot),
                  state.mins.get(slot),
                ]
              : state.kind === 'summary'
                ? [state.counts.get(slot), state.sums.get(slot)]
                : [
                    state.values.count(slot),
                    state.offsets.count(slot),
                    state.values.scales.get(slot),
                    state.offsets.sums.get(slot),
                    state.maxes.get(slot),
                  ],
    }));
  }
}

/** The chunks of a snapshot taken now, to keep. */
export function chunksOf(snapshot: StoreSnapshot): SnapshotChunk[] {
  snapshot.take();
  return writtenChunks(snapshot);
}

/** As {@link chunksOf}, in as many chunks as they can be cut into. */
export function smallestChunksOf(snapshot: StoreSnapshot): SnapshotChunk[] {
  snapshot.take();
  return writtenChunks(snapshot, new SnapshotWriter(1));
}

/** The chunks of the snapshot that was taken last, to keep. */
export function writtenChunks(snapshot: StoreSnapshot, writer = new SnapshotWriter()): SnapshotChunk[] {
  return Array.from(snapshot.write(writer), ({ type, key, bytes }) => ({
    type,
    key,
    bytes: bytes.slice(),
  }));
}
