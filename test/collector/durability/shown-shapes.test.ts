import test, { type ExecutionContext } from 'ava';
import { recordTypes } from '../../../collector/durability/record-types.ts';
import type { StateRules } from '../../../collector/durability/state-rules.ts';
import type { JournalRecord } from '../../../collector/journal/frame.ts';
import { birthUs } from '../core.ts';
import { MemoryStorage } from '../journal/memory-storage.ts';
import { view } from '../outputs/members.ts';
import { dump } from '../outputs/snapshot/side.ts';
import { DurableSide, restore, type SideOptions } from './durable-side.ts';
import { recordsOf } from './records-of.ts';
import { replayRules } from './replay-rules.ts';

const nowUs = birthUs + 3_600_000_000;

const rules: StateRules = {
  ...replayRules[0]!,
  views: [
    view({
      name: 'fleet.latency',
      resourceKeys: [],
      aggregation: {
        kind: 'base2_exponential_bucket_histogram',
        maxSize: 8,
        maxScale: 20,
        recordMinMax: true,
      },
    }),
  ],
};

const options: SideOptions = {
  clock: { nowUs: () => nowUs, monotonicMs: () => nowUs / 1000, setTimeout: () => () => {} },
  rules,
  readers: [],
};

/** What one source says: from 2^-8 on, which has no room beside what is above 1; or nothing but that zero reaches up to 1. */
const wide = {
  scale: 3,
  positive: { offset: -64, bucketCounts: [...new Array(100).fill('0'), '1'].with(0, '1') },
};
const threshold = { scale: 3, zeroCount: '1', zeroThreshold: 1 };

function take({ state, sessions, opened: { recorder } }: DurableSide, id: string, histogram: object): void {
  const times = { startTimeUnixNano: `${nowUs - 9e6}000`, timeUnixNano: `${nowUs}000` };
  const count = 'positive' in histogram ? '2' : '1';
  const exponentialHistogram = {
    dataPoints: [{ ...times, ...histogram, count, sum: 3 }],
    aggregationTemporality: 1,
  };
  const resource = { attributes: [{ key: 'service.instance.id', value: { stringValue: id } }] };
  const scopeMetrics = [{ scope: {}, metrics: [{ name: 'latency', unit: 's', exponentialHistogram }] }];
  const bytes = Buffer.from(JSON.stringify({ resourceMetrics: [{ resource, scopeMetrics }] }));
  state
    .otlp(sessions)
    .take(bytes, 'json', nowUs, undefined, () => recorder.otlpReceived(nowUs, 'json', undefined, bytes));
}

/** What a scrape is given, once it may leave. */
async function scrape({ state, opened }: DurableSide): Promise<string[]> {
  const found = dump(state.outputs.collect(state.outputs.passerBy(), nowUs));
  await opened.recorder.committed();
  return found;
}

async function open(t: ExecutionContext, storage: MemoryStorage): Promise<DurableSide> {
  const side = await DurableSide.open(storage, options);
  t.is(side.opened.watch.losses, 0);
  t.teardown(() => side.abandon());
  return side;
}

async function shownOf(side: DurableSide, records: Iterable<JournalRecord>): Promise<string[]> {
  const writerId = side.opened.durable.directoryId.toString('hex');
  const { restoring } = await restore(options, writerId, undefined, records);
  const { outputs } = restoring.restored!.state;
  return dump(outputs.collect(outputs.passerBy(), nowUs));
}

for (const checkpoint of ['no checkpoint', 'a checkpoint before the read', 'a checkpoint after it'] as const)
  test(`what was shown at a coarse scale is not finer after a kill: ${checkpoint}`, async (t) => {
    const storage = new MemoryStorage();
    const side = await open(t, storage);
    take(side, 'a', wide);
    const write = () => side.storage.checkpoint(AbortSignal.timeout(10_000));
    if (checkpoint === 'a checkpoint before the read') t.true(await write());
    const [, coarse] = await scrape(side);
    if (checkpoint === 'a checkpoint after it') t.true(await write());
    // What is below 1 becomes zeros: alone, the rest would have room at a finer scale.
    take(side, 'b', threshold);
    const shown = await scrape(side);
    t.not(shown[1], coarse);
    const killed = storage.kill();
    const again = await open(t, killed);
    t.deepEqual(await scrape(again), shown);
    t.deepEqual(await scrape(await open(t, killed.kill())), shown);

    const records = recordsOf(new Map([...killed.removed, ...killed.files()]));
    t.deepEqual(await shownOf(side, records), shown);
    const untold = records.filter(({ type }) => type !== recordTypes.shown);
    t.is(records.length - untold.length, 2);
    t.notDeepEqual(await shownOf(side, untold), shown, 'it is finer where nobody was told of the reads');
  });

for (const [what, bytes, message] of [
  ['another stream', [9, 0, 17, ...new Array(8).fill(0)], /the stream 9 has no point 0 that could/],
  ['another point', [1, 7, 17, ...new Array(8).fill(0)], /the stream 1 has no point 7 that could/],
  ['a finer scale', [1, 0, 0, ...new Array(8).fill(0)], /no point 0 that could be shown at scale 20/],
  ['a scale that there is not', [1, 0, 32, ...new Array(8).fill(0)], /could be shown at scale -12/],
  ['an infinite threshold', [1, 0, 25, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f], /zero threshold Infinity/],
  ['half a threshold', [1, 0, 25, 0, 0], /cut off/],
] as const)
  test(`a record that no read can have left is not applied: ${what}`, async (t) => {
    const storage = new MemoryStorage();
    const side = await open(t, storage);
    take(side, 'a', wide);
    await scrape(side);
    const records = recordsOf(storage.files());
    const position = records.at(-1)!.position;
    const wrong = { type: recordTypes.shown, bytes: Buffer.from(bytes), position };
    await t.throwsAsync(shownOf(side, [...records, wrong]), { message });
  });
