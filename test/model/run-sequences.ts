import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { checkReplays } from '../collector/durability/check-replays.ts';
import { checkDurableSequences } from './check-durable-sequences.ts';
import { checkSequences, type SequencesOutcome } from './check-sequences.ts';

/*
 * Takes many sequences, on all cores:
 *
 *   node test/model/run-sequences.ts [RUNS] [SEED]
 *   node test/model/run-sequences.ts durable [RUNS] [SEED]
 *   node test/model/run-sequences.ts replay [RUNS] [SEED]
 *
 * The first are those of collector-sequence.test.ts, the others those of durable-sequence.test.ts and of
 * test/collector/durability/replay-sequences.test.ts. RUNS is 200,000 where it is not given, of the others 5000 and 2000, and SEED one at random, which is printed. The sequences come in batches, each from a seed of its own. It ends with
 * 1 when a sequence fails, once that has been made shorter, which takes half a minute at most; what it prints then says how to take the same again.
 */

interface Kind {
  readonly runs: number;
  readonly batchRuns: number;
  readonly test: string;
  check(seed: number, runs: number): SequencesOutcome | Promise<SequencesOutcome>;
}

const kinds = {
  model: {
    runs: 200_000,
    batchRuns: 250,
    test: 'test/model/collector-sequence.test.ts',
    check: checkSequences,
  },
  durable: {
    runs: 5000,
    batchRuns: 20,
    test: 'test/model/durable-sequence.test.ts',
    check: checkDurableSequences,
  },
  replay: {
    runs: 2000,
    batchRuns: 10,
    test: 'test/collector/durability/replay-sequences.test.ts',
    check: checkReplays,
  },
} as const satisfies Record<string, Kind>;

interface Batch {
  readonly kind: keyof typeof kinds;
  readonly seed: number;
  readonly runs: number;
}

async function main(...args: readonly string[]): Promise<void> {
  const isKind = args[0] !== undefined && Object.hasOwn(kinds, args[0]);
  const kind = isKind ? (args[0] as Batch['kind']) : 'model';
  const { batchRuns, test } = kinds[kind];
  const [runsText = `${kinds[kind].runs}`, seedText = `${Date.now() % 2 ** 30}`] = args.slice(isKind ? 1 : 0);
  const [runs, seed] = [wholeNumber('RUNS', runsText), wholeNumber('SEED', seedText)];
  print(`RUNS=${runs} SEED=${seed}`);
  const batches: Batch[] = [];
  for (let at = 0; at < runs; at += batchRuns)
    batches.push({ kind, seed: (seed + batches.length) % 2 ** 31, runs: Math.min(batchRuns, runs - at) });
  const beganMs = performance.now();
  let held = 0;
  let failure: string | undefined;
  let toldMs = beganMs;
  const work = async () => {
    const worker = new Worker(fileURLToPath(import.meta.url));
    try {
      for (
        let batch = batches.shift();
        batch !== undefined && failure === undefined;
        batch = batches.shift()
      ) {
        const outcome = await outcomeOf(worker, batch);
        held += outcome.held;
        failure ??= outcome.failure;
        if (performance.now() - toldMs < 10_000) continue;
        toldMs = performance.now();
        print(`${held} of ${runs} sequences hold, after ${seconds(beganMs)}`);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), batches.length) }, work));
  if (failure !== undefined) {
    print(failure);
    print(`again: SEED=… RUNS=… npx ava ${test}, with those of the line above`);
    process.exitCode = 1;
  }
  print(`${held} of ${runs} sequences hold, in ${seconds(beganMs)}, SEED=${seed}`);
}

function outcomeOf(worker: Worker, batch: Batch): Promise<SequencesOutcome> {
  return new Promise((resolve, reject) => {
    worker.removeAllListeners();
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.postMessage(batch);
  });
}

function wholeNumber(name: string, text: string): number {
  if (/^\d{1,9}$|^1\d{9}$/.test(text)) return Number(text);
  throw new Error(`${name} is ${JSON.stringify(text)}: give a whole number below 2,000,000,000`);
}

function seconds(sinceMs: number): string {
  return `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

if (isMainThread) await main(...process.argv.slice(2));
else
  parentPort!.on('message', ({ kind, seed, runs }: Batch) => {
    Promise.resolve(kinds[kind].check(seed, runs)).then(
      (outcome) => parentPort!.postMessage(outcome),
      (error: unknown) => {
        throw error;
      },
    );
  });
