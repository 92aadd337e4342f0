import { isDeepStrictEqual } from 'node:util';
import test from 'ava';
import fc from 'fast-check';
import { configuredGrant, type Grant } from '../../../../collector/security/grant.ts';
import type { Session } from '../../../../collector/sessions/session.ts';
import { memoryJournal } from '../../../../collector/sessions/session-journal.ts';
import { Sessions } from '../../../../collector/sessions/sessions.ts';
import { SessionsSnapshot } from '../../../../collector/sessions/snapshot/sessions-snapshot.ts';
import { attributes } from '../../../../otel/model/attributes.ts';
import { type MetricDescription, metric } from '../../../../otel/model/metric.ts';
import { SectionsLoading } from '../../../../otel/snapshot/load-sections.ts';
import type { SnapshotChunk } from '../../../../otel/snapshot/snapshot-chunk.ts';
import { SnapshotError } from '../../../../otel/snapshot/snapshot-error.ts';
import { SnapshotWriter } from '../../../../otel/snapshot/snapshot-writer.ts';
import { MetricStore } from '../../../../otel/state/metric-store.ts';
import { StoreSnapshot } from '../../../../otel/state/snapshot/store-snapshot.ts';
import { views } from '../../../model/catalogue-views.ts';
import type { FakeStream } from '../../../model/fake-agent.ts';
import { anyState, randomFrom } from '../../../proto/report/stream-traffic.ts';
import { birthUs } from '../../core.ts';
import { copiesOf, loadSections, sectionsOf, Twin } from './twin.ts';

const metrics: readonly MetricDescription[] = [
  metric({ name: 'jobs', kind: 'sum', isMonotonic: true, valueType: 'int' }),
  metric({ name: 'bytes', unit: 'By', kind: 'sum', isMonotonic: true }),
  metric({ name: 'inflight', kind: 'sum' }),
  metric({ name: 'temperature', unit: 'Cel', kind: 'gauge' }),
  metric({ name: 'latency', kind: 'histogram', explicitBounds: [1, 2], hasSum: true, hasMax: true }),
  metric({ name: 'sizes', kind: 'exponential_histogram', hasSum: true, hasMin: true }),
  metric({ name: 'rpc', kind: 'summary', quantiles: [0.5, 0.9] }),
];

const grants: readonly (Grant | undefined)[] = [
  undefined,
  configuredGrant('token a', {
    permissions: ['stream'],
    agents: ['*'],
    forced: attributes({ tenant: 'a', level: 2n }),
    forbidden: [],
  }),
  configuredGrant(
    'client b',
    { permissions: ['stream'], agents: ['m{1}'], forced: [], forbidden: ['service.*'] },
    ['2'],
  ),
];

type Step =
  | { do: 'open' | 'goodbye' | 'half-close' | 'close' | 'garbage'; member: number }
  | { do: 'hello'; member: number; isNewRun: boolean; boot: number; region: string }
  | { do: 'define'; member: number; of: readonly number[]; group: number; isForeign: boolean; epoch: number }
  | { do: 'report'; member: number; groups: number; seed: number; spoilt: number }
  | { do: 'retire'; member: number; seed: number; reason: 'gone' | 'idle' }
  | { do: 'wait'; seconds: number };

const member = fc.nat(2);
const of = (...names: Step['do'][]) => fc.constantFrom(...names) as fc.Arbitrary<never>;
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: of('open'), member }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: of('hello'),
      member,
      isNewRun: fc.boolean(),
      boot: fc.constantFrom(1, 1, 1, 2),
      region: fc.constantFrom('r1', 'r1', 'r1', 'r2'),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: of('define'),
      member,
      of: fc.array(fc.nat(20), { minLength: 1, maxLength: 6 }),
      group: fc.nat(2),
      isForeign: fc.constantFrom(false, false, true),
      epoch: fc.nat(3),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      do: of('report'),
      member,
      groups: fc.integer({ min: 1, max: 7 }),
      seed: fc.nat(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: of('retire'),
      member,
      seed: fc.nat(),
      reason: fc.constantFrom('gone', 'idle'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: of('goodbye', 'half-close', 'close', 'garbage'), member }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: of('wait'), seconds: fc.constantFrom(5, 301, 301, 3700, 86_401) }),
  },
) as fc.Arbitrary<Step>;

/** Agents of three members, each with the stream that it opened last. */
class Agents {
  readonly twin: Twin;
  readonly #streams: ({ stream: FakeStream; each(act: (session: Session) => void): void } | undefined)[] = [];
  readonly #runs = [1, 2, 3];
  #timeUs = birthUs;
  #reports = 0;

  constructor(twin: Twin) {
    this.twin = twin;
  }

  take(step: Step): void {
    if (step.do === 'wait') {
      this.twin.wait(step.seconds);
      return;
    }
    const { member } = step;
    if (step.do === 'open') {
      this.#streams[member] = this.twin.stream(grants[member]);
      return;
    }
    if (step.do === 'hello') {
      if (step.isNewRun) this.#runs[member]! += 10;
      this.#hello(member, `boot ${step.boot}`, step.region);
      return;
    }
    // What an agent says else, it says on a stream that is welcomed.
    if (!this.#isOpen(member)) this.#hello(member, 'boot 1', 'r1');
    const { stream, each } = this.#streams[member]!;
    const { columns } = stream;
    switch (step.do) {
      case 'define':
        for (const one of step.of)
          stream.define(
            {
              metric: metrics[one % metrics.length]!,
              attributes: attributes({ of: String(one), [one === 20 ? 'x'.repeat(80) : 'k']: BigInt(one) }),
              group: step.group,
              isForeign: step.isForeign,
            },
            step.epoch === 0 ? '' : `epoch ${step.epoch}`,
            step.epoch === 3 ? undefined : step.epoch * 1000 - 2000,
            birthUs + step.epoch,
          );
        break;
      case 'report': {
        const random = randomFrom(step.seed);
        this.#timeUs += 1_000_000;
        const states = [...columns.groups.values()]
          .filter(({ group, places }) => places > 0 && (step.groups & (1 << group)) !== 0)
          .map((group) => anyState(group, this.#timeUs, random))
          .map(({ sums, ...state }) => ({
            ...state,
            sums: step.spoilt === 0 ? sums : sums?.fill(step.spoilt),
          }));
        if (states.length > 0) stream.send(states, ++this.#reports);
        break;
      }
      case 'retire': {
        const random = randomFrom(step.seed);
        const numbers = [...columns.groups.values()].flatMap((group) =>
          Array.from({ length: group.places }, (_, place) => group.numberAt(place)),
        );
        for (const number of numbers) if (random(3) === 0) stream.retire(number, step.reason);
        break;
      }
      case 'goodbye':
        stream.goodbye(columns.lastReport);
        break;
      case 'half-close':
        each((session) => session.receivedEnd());
        break;
      case 'close':
        each((session) => session.closed());
        break;
      case 'garbage':
        stream.session.receive(Buffer.of(0x0a, 0x05, 0xff));
    }
  }

  #isOpen(member: number): boolean {
    const [sessions] = this.twin.sessions;
    return [...sessions].some(({ hello, state }) => state === 'open' && hello?.memberId === `m${member}`);
  }

  /** On the member's stream if that waits for it, else on a new one. */
  #hello(member: number, bootId: string, region: string): void {
    let held = this.#streams[member];
    if (held === undefined || held.stream.received.length > 0 || held.stream.ended !== undefined) {
      held = this.twin.stream(grants[member]);
      this.#streams[member] = held;
    }
    const resource = attributes({ region, nested: [1n, 0.5, null] });
    held.stream.hello(`m${member}`, this.#runs[member]!, resource, bootId);
  }
}

test('whatever happened before, loaded sessions go on as those that were saved', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ step, isRestored: fc.boolean() }), { minLength: 10, maxLength: 40 }),
      (steps) => {
        const twin = new Twin({ views, limits: { maxSeries: 14 } });
        const agents = new Agents(twin);
        try {
          for (const { step, isRestored } of steps) {
            if (isRestored) twin.restore();
            agents.take(step);
            const [saved, loaded] = twin.observed();
            t.deepEqual(loaded, saved);
          }
        } finally {
          twin.stop();
        }
      },
    ),
    { numRuns: 60, seed: 5 },
  );
});

test('what is written is what was there when it was taken, whatever came in between', (t) => {
  let changed = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 40 }), fc.nat(20), (steps, at) => {
      const twin = new Twin({ limits: { maxSeries: 14 } });
      const agents = new Agents(twin);
      const [{ sessions, store }] = twin.cores;
      try {
        for (const step of steps.slice(0, at)) agents.take(step);
        const expected = sectionsOf(sessions, store);
        const snapshot = new SessionsSnapshot(sessions, store);
        for (const _ of snapshot.reserve());
        snapshot.take();
        for (const step of steps.slice(at)) agents.take(step);
        const written = [...copiesOf(snapshot.write(new SnapshotWriter()))];
        t.deepEqual(written, expected);
        if (!isDeepStrictEqual(sectionsOf(sessions, store), expected)) changed++;
      } finally {
        twin.stop();
      }
    }),
    { numRuns: 40, seed: 5 },
  );
  t.true(changed > 20, `${changed}`);
});

/** Two agents with series of every kind, reported, and a stream that has not said hello. */
function busy(twin = new Twin({ limits: { maxSeries: 14 } }), agents = new Agents(twin)): Twin {
  for (const member of [1, 2]) {
    agents.take({ do: 'hello', member, isNewRun: false, boot: 1, region: 'r1' });
    agents.take({ do: 'define', member, of: [0, 1, 2, 3, 4, 5, 6], group: 0, isForeign: false, epoch: 1 });
    agents.take({ do: 'define', member, of: [7, 9, 11, 13], group: 1, isForeign: true, epoch: 2 });
    for (let seed = 0; seed < 8; seed++) agents.take({ do: 'report', member, groups: 3, seed, spoilt: 0 });
    agents.take({ do: 'define', member, of: [14, 15, 16, 17, 18, 20], group: 2, isForeign: false, epoch: 3 });
  }
  agents.take({ do: 'open', member: 0 });
  return twin;
}

function emptySessions({ cores: [core] }: Twin, store = core.store): Sessions {
  return new Sessions({
    store,
    counters: core.counters,
    limits: core.limits,
    journal: memoryJournal(Buffer.alloc(16), Buffer.alloc(8)),
    stalenessMs: 300_000,
    evictionMs: 86_400_000,
    nowUs: () => core.nowUs,
    log: () => {},
  });
}

test('with the store that was saved beside them, loaded sessions take in what follows as the saved ones do', (t) => {
  const twin = new Twin({ limits: { maxSeries: 14 } });
  const agents = new Agents(twin);
  busy(twin, agents);
  const [{ store, sessions }] = twin.cores;
  const loadedStore = new MetricStore(0, () => {});
  const loading = new StoreSnapshot(loadedStore);
  const sections = new SectionsLoading(loading.loaders);
  for (const chunk of storeSectionsOf(store)) sections.take(chunk);
  sections.end();
  loading.finish();
  const loaded = emptySessions(twin, loadedStore);
  loadSections(sectionsOf(sessions, store), loaded, loadedStore);
  const byNumber = new Map([...loaded].map((session) => [session.number, session]));
  for (const session of sessions) {
    const receive = session.receive.bind(session);
    session.receive = (bytes) => {
      receive(bytes);
      byNumber.get(session.number)!.receive(bytes);
    };
  }
  const before = storeSectionsOf(store);
  t.deepEqual(storeSectionsOf(loadedStore), before);
  for (let seed = 10; seed < 18; seed++) {
    agents.take({ do: 'report', member: 1 + (seed % 2), groups: 7, seed, spoilt: 0 });
    t.deepEqual(storeSectionsOf(loadedStore), storeSectionsOf(store));
    t.deepEqual(sectionsOf(loaded, loadedStore), sectionsOf(sessions, store));
  }
  t.notDeepEqual(storeSectionsOf(store), before);
  loaded.stop();
  twin.stop();
});

function storeSectionsOf(store: MetricStore): SnapshotChunk[] {
  const snapshot = new StoreSnapshot(store);
  snapshot.take();
  return [...copiesOf(snapshot.write(new SnapshotWriter()))];
}

test('a loaded session without a connection takes in reports and says nothing', (t) => {
  const twin = busy();
  const [{ store, sessions }] = twin.cores;
  const loaded = emptySessions(twin);
  loadSections(sectionsOf(sessions, store), loaded, store);
  t.is(loaded.size, 3);
  t.is(loaded.lastNumber, 3);
  t.deepEqual(
    [...loaded].map(({ id, peer, state, series }) => [id, peer, state, series]),
    [
      ['s1', '127.0.0.1:1', 'open', 17],
      ['s2', '127.0.0.1:2', 'open', 17],
      ['s3', '127.0.0.1:3', 'waiting', 0],
    ],
  );
  t.true(loaded.owners.isLive('m1'));
  for (const session of [...loaded]) session.closed();
  t.false(loaded.owners.isLive('m1'));
  t.is(loaded.size, 0);
  twin.stop();
});

test('any bytes at all give sessions or a SnapshotError', (t) => {
  const twin = busy();
  const [{ store, sessions }] = twin.cores;
  const chunks = sectionsOf(sessions, store);
  const spoil = fc.record({
    at: fc.double({ min: 0, max: 0.999_999, noNaN: true }),
    value: fc.nat(255),
    kind: fc.constantFrom('set', 'set', 'cut', 'insert' as const),
  });
  let refused = 0;
  fc.assert(
    fc.property(
      fc.nat(chunks.length - 1),
      fc.array(spoil, { minLength: 1, maxLength: 3 }),
      (which, spoils) => {
        let bytes = Buffer.from(chunks[which]!.bytes);
        for (const { at, value, kind } of spoils) {
          const place = Math.floor(at * bytes.length);
          if (kind === 'set') bytes[place] = value;
          else if (kind === 'cut') bytes = bytes.subarray(0, place);
          else bytes = Buffer.concat([bytes.subarray(0, place), Buffer.of(value), bytes.subarray(place)]);
        }
        const spoilt = chunks.map((chunk, i) => (i === which ? { ...chunk, bytes } : chunk));
        const loaded = emptySessions(twin);
        try {
          loadSections(spoilt, loaded, store);
        } catch (error) {
          t.true(error instanceof SnapshotError, String(error));
          refused++;
        }
        loaded.stop();
      },
    ),
    { numRuns: 500, seed: 5 },
  );
  t.true(refused > 100, `${refused}`);
  twin.stop();
});
