import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { attributesKey } from '../../../otel/model/attributes.ts';
import { batchesOf, PointBatch } from '../../../otel/state/point-batch.ts';
import {
  hasBuckets,
  type ModelHistogram,
  modelDownscaled,
  plain,
} from '../../otel/state/exponential-model.ts';
import { nextMillisecond } from '../../otel/state/intake/sdk-reader.ts';
import { Core } from '../core.ts';
import { exponentialPoints } from '../outputs/direct-member.ts';
import { view } from '../outputs/members.ts';
import { type Feed, PointFeed, StreamFeed } from './sdk-feeds.ts';
import { type Instrument, instruments, type Measurement, SdkProcess, type Told } from './sdk-fleet.ts';

const keys = ['route'];

/** What a scrape sees of the merged views, by instrument and attributes. */
function merged(core: Core): Map<string, Told['value']> {
  const found = new Map<string, Told['value']>();
  const batch = new PointBatch();
  for (const { scopes } of core.outputs.collect(core.outputs.passerBy(), core.nowUs).resources)
    for (const { streams } of scopes)
      for (const stream of streams) {
        const { name, kind } = stream.metric;
        const put = (own: Parameters<typeof attributesKey>[0], value: Told['value']) => {
          const key = name + attributesKey(own);
          if (found.has(key)) throw new Error(`${key} is there twice`);
          found.set(key, value);
        };
        if (kind === 'exponential_histogram') {
          for (const point of exponentialPoints(stream)) put(point.attributes, point);
          continue;
        }
        for (const { size, bucketCount, bucketCounts, sums, values, seriesAttributes } of batchesOf(
          stream,
          batch,
        ))
          for (let i = 0; i < size; i++) {
            const own = seriesAttributes[i].attributes;
            if (bucketCount === 0) put(own, values[i]);
            else put(own, [...bucketCounts.subarray(i * bucketCount, (i + 1) * bucketCount), sums[i]]);
          }
      }
  return found;
}

function same(found: Told['value'] | undefined, expected: Told['value']): boolean {
  if (found === undefined) return false;
  if (typeof expected === 'number' || Array.isArray(expected)) return String(found) === String(expected);
  const [a, b] = [found, expected] as ModelHistogram[];
  // Both are exact at the coarser scale of the two.
  const scale = Math.min(...[a, b].filter(hasBuckets).map((h) => h.scale), 20);
  const at = (h: ModelHistogram) => JSON.stringify(plain(modelDownscaled(h, scale)));
  return at(a) === at(b);
}

/** Eighths, over a few scales: sums of a hundred of them are exact in any order. */
const value = fc.oneof(
  fc.integer({ min: -400, max: 400 }).map((n) => n / 8),
  fc.integer({ min: 1, max: 12 }).map((exponent) => 1.5 * 2 ** exponent),
);

interface Round {
  readonly measurements: readonly (Measurement & { readonly member: number })[];
  /** Members whose processes are started anew at the end of the round. */
  readonly restarts: readonly number[];
}

const rounds: fc.Arbitrary<Round[]> = fc.array(
  fc.record({
    measurements: fc.array(
      fc.record({
        member: fc.nat(2),
        instrument: fc.constantFrom<Instrument>(...instruments),
        value,
        route: fc.constantFrom('/a', '/b'),
        user: fc.constantFrom('x', 'y'),
      }),
      { maxLength: 25 },
    ),
    restarts: fc.uniqueArray(fc.nat(2), { maxLength: 2 }),
  }),
  { minLength: 1, maxLength: 5 },
);

interface Process {
  readonly id: string;
  life: number;
  sdk: SdkProcess;
  /** When a gauge was measured last in this life, by the key of its series: a number that grows. */
  readonly measuredUs: Map<string, number>;
}

async function agrees(t: ExecutionContext, feedOf: (core: Core) => Feed): Promise<void> {
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(rounds, async (list) => {
      const views = instruments.map((name) =>
        view({ resourceKeys: [], attributeKeys: { included: keys } }, name),
      );
      const core = new Core({ views });
      core.nowUs += 600e6;
      const feed = feedOf(core);
      const whole = new SdkProcess(keys);
      await nextMillisecond();
      const members: Process[] = ['a', 'b', 'c'].map((id) => ({
        id,
        life: 1,
        sdk: new SdkProcess(),
        measuredUs: new Map(),
      }));
      let measured = 0;
      let hasRestarted = false;
      for (const { measurements, restarts } of list) {
        for (const { member, ...one } of measurements) {
          whole.measure(one);
          members[member].sdk.measure(one);
          if (one.instrument === 'load')
            members[member].measuredUs.set(
              attributesKey([
                ['route', one.route],
                ['user', one.user],
              ]),
              ++measured,
            );
        }
        await nextMillisecond();
        for (const { id, life, sdk, measuredUs } of members) {
          const told = await sdk.collect();
          feed.take(
            id,
            life,
            // A gauge is of the time that it was measured at, which the SDK does not tell.
            told.flatMap((one) => {
              if (one.instrument !== 'load') return [one];
              const timeUs = measuredUs.get(attributesKey(one.attributes));
              measuredUs.delete(attributesKey(one.attributes));
              return timeUs === undefined ? [] : [{ ...one, timeUs }];
            }),
          );
        }
        const found = merged(core);
        for (const { instrument, attributes, value: expected } of await whole.collect()) {
          const key = instrument + attributesKey(attributes);
          // Up-down counters and gauges leave with a process; what it counted does not.
          if (hasRestarted && (instrument === 'open' || instrument === 'load')) found.delete(key);
          else if (!same(found.get(key), expected))
            throw new Error(`${key}: ${text(found.get(key))} for ${text(expected)}`);
          found.delete(key);
          compared++;
        }
        if (found.size > 0) throw new Error(`nobody measured ${[...found.keys()]}`);
        await nextMillisecond();
        hasRestarted ||= restarts.length > 0;
        for (const member of members) if (restarts.includes(members.indexOf(member))) await restart(member);
      }
      await Promise.all([whole, ...members.map(({ sdk }) => sdk)].map((sdk) => sdk.stop()));
      core.sessions.stop();
    }),
    { numRuns: 25, includeErrorInReport: true },
  );
  t.true(compared > 200, `${compared} points were compared`);
}

async function restart(member: Process): Promise<void> {
  await member.sdk.stop();
  member.life++;
  member.sdk = new SdkProcess();
  await nextMillisecond();
}

function text(of: unknown): string {
  return JSON.stringify(of, (_, part) => (part instanceof Map ? [...part] : part));
}

test('three SDKs on streams, merged, are one SDK that saw all their measurements', async (t) => {
  await agrees(t, (core) => new StreamFeed(core));
});

test('three SDKs by the point intake, merged, are one SDK that saw all their measurements', async (t) => {
  await agrees(t, (core) => new PointFeed(core));
});
