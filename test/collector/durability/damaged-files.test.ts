import test, { type ExecutionContext } from 'ava';
import { Recovery } from '../../../collector/journal/recovery.ts';
import { MemoryStorage } from '../journal/memory-storage.ts';
import { recordedLog } from '../journal/recorded-log.ts';
import { DurableBench } from './durable-bench.ts';
import { restore } from './durable-side.ts';
import { recordsOf } from './records-of.ts';
import { randomOf } from './replay-world.ts';
import { pictureOf, type StatePicture } from './state-picture.ts';

type Files = ReadonlyMap<string, Buffer>;

interface Life {
  readonly bench: DurableBench;
  readonly files: Files;
  /** What an agent was told at the end. */
  readonly place: ReturnType<DurableBench['place']>;
  /** When pictures are taken. */
  readonly atUs: number;
  /** The state at a place of the journal. */
  pictureAt(position: number): Promise<StatePicture | undefined>;
}

/** A directory with a checkpoint, several segments and openings, whose process was killed; all of it was acknowledged. */
async function life(t: ExecutionContext): Promise<Life> {
  const bench = await DurableBench.open({ journal: { segmentBytes: 4096 } });
  const [one, other] = [bench.agent(0), bench.agent(1)];
  bench.join(one);
  await bench.committed();
  t.true(await bench.checkpoint());
  for (const seed of [8, 9]) {
    bench.report(one, seed);
    await bench.committed();
  }
  bench.kill();
  await bench.open();
  one.disconnect();
  bench.join(one, 10);
  bench.join(other, 11);
  await bench.committed();
  for (const seed of [12, 13, 14]) {
    bench.report(one, seed);
    const [, reader] = bench.side.readers;
    await reader!.intervals!.collect(bench.nowUs);
    await bench.committed();
  }
  const place = bench.place();
  const atUs = bench.nowUs;
  const storage = bench.storage.kill();
  bench.side.abandon();
  const files = storage.files();
  const records = recordsOf(new Map([...storage.removed, ...files]));
  const writerId = bench.side.opened.durable.directoryId.toString('hex');
  const pictures = new Map<number, StatePicture | undefined>();
  const pictureAt = async (position: number) => {
    if (!pictures.has(position)) {
      const upTo = records.filter((record) => record.position <= position);
      pictures.set(position, pictured(atUs, await restore(bench.options, writerId, undefined, upTo)));
    }
    return pictures.get(position);
  };
  return { bench, files, place, atUs, pictureAt };
}

function pictured(atUs: number, { restoring, readers }: Awaited<ReturnType<typeof restore>>) {
  if (restoring.restored === undefined) return undefined;
  const { state, sessions } = restoring.restored;
  state.clock.show(atUs);
  return pictureOf(state, sessions, readers, atUs);
}

/** What opening comes to, without the state: where the journal ends, and what is said of it. */
async function outcomeOf(files: Files): Promise<{ key: string; position: number; loses: boolean }> {
  const recovery = await Recovery.start(MemoryStorage.of(files), { log: recordedLog(), nowMs: 1 });
  const { report, state } = await recovery.begin();
  await state.close();
  const { position, damages, losesAcknowledged: loses, checkpoint } = report;
  const kinds = damages.map(
    ({ kind, remedy, losesAcknowledged }) => `${kind} ${remedy.action} ${losesAcknowledged}`,
  );
  return { key: `${position} ${checkpoint?.position} ${kinds.join()}`, position, loses };
}

/** The state is what it was where the journal ends now; what is missing is found out, at the latest by who was told of it. */
async function holds(
  t: ExecutionContext,
  { bench, place, atUs, pictureAt }: Life,
  files: Files,
  what: string,
) {
  const { position, loses } = await outcomeOf(files);
  const recovery = await Recovery.start(MemoryStorage.of(files), { log: recordedLog(), nowMs: 1 });
  const writerId = recovery.directoryId.toString('hex');
  const restored = await restore(bench.options, writerId, recovery.chunks(), recovery.records());
  t.deepEqual(pictured(atUs, restored), await pictureAt(position), what);
  bench.storage = MemoryStorage.of(files);
  await bench.open();
  const { watch } = bench.side.opened;
  t.is(watch.losses, loses ? 1 : 0, what);
  if (position < place.journalPosition) {
    watch.returned(place, bench.side.state.clock.nowUs());
    t.is(watch.losses, 1, `${what}: who was told of more proves that it is lost`);
  } else t.false(loses, `${what}: everything is there`);
  await bench.close();
}

async function allHold(
  t: ExecutionContext,
  of: Life,
  damaged: Iterable<readonly [Files, string]>,
): Promise<number> {
  const seen = new Set<string>();
  for (const [files, what] of damaged) {
    const { key } = await outcomeOf(files);
    if (seen.has(key)) continue;
    seen.add(key);
    await holds(t, of, files, what);
  }
  return seen.size;
}

function withFile(files: Files, name: string, bytes: Buffer): Files {
  return new Map([...files, [name, bytes]]);
}

test('cut at any byte of its last commits, a journal gives the state of where it is whole', async (t) => {
  const of = await life(t);
  const name = [...of.files.keys()]
    .filter((file) => file.startsWith('segment-'))
    .sort()
    .at(-1)!;
  const bytes = of.files.get(name)!;
  const outcomes = await allHold(
    t,
    of,
    (function* () {
      for (let end = Math.max(0, bytes.length - 400); end <= bytes.length; end++)
        yield [withFile(of.files, name, bytes.subarray(0, end)), `cut at ${end} of ${bytes.length}`] as const;
    })(),
  );
  t.true(outcomes > 3, `${outcomes}`);
});

test('whichever bit of whichever file is flipped, the state is exact where the journal ends, and what is lost is said', async (t) => {
  const of = await life(t);
  const random = randomOf(5);
  const outcomes = await allHold(
    t,
    of,
    (function* () {
      for (const [name, bytes] of of.files) {
        // All of headers, and fifty of the rest.
        const places = new Set(Array.from({ length: Math.min(bytes.length, 40) }, (_, i) => i));
        for (let i = 0; i < 50; i++) places.add(Math.floor(random() * bytes.length));
        for (const place of places) {
          const flipped = Buffer.from(bytes);
          flipped[place]! ^= 1 << Math.floor(random() * 8);
          yield [withFile(of.files, name, flipped), `a bit of byte ${place} of ${name}`] as const;
        }
      }
    })(),
  );
  t.true(outcomes > 5, `${outcomes}`);
});
