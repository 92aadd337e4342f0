import fs from 'node:fs';
import { attributes, noAttributes } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import type { SeriesCells } from '../../state/series-cells.ts';
import type { Source } from '../source.ts';
import { sinceBoot } from './boot.ts';
import { causeOf, type HostContext } from './host-context.ts';
import { KeyedLines } from './keyed-lines.ts';
import { ProcFile, retryAfterMs } from './proc-file.ts';
import { SeriesSet } from './series-set.ts';
import { type Scan, SlicedScan } from './sliced-scan.ts';

const count = metric({
  name: 'system.process.count',
  unit: '{process}',
  description: 'Total number of processes in each state.',
  kind: 'sum',
  valueType: 'int',
});
const created = metric({
  name: 'system.process.created',
  unit: '{process}',
  description: 'Total number of processes created over uptime of the host.',
  kind: 'sum',
  isMonotonic: true,
  valueType: 'int',
});

const states = ['running', 'sleeping', 'stopped', 'defunct'] as const;
const [running, sleeping, stopped, defunct] = [0, 1, 2, 3] as const;
const createdIndex = states.length;

/**
 * The letters of proc_pid_stat(5). Waiting for a disk (D), idle kernel threads (I), parked ones (P) and those of old kernels (K, W)
 * sleep. Dead ones (X, x) are no processes any more.
 */
const stateOfLetter = new Map<number, number>(
  Object.entries({
    R: running,
    S: sleeping,
    D: sleeping,
    I: sleeping,
    P: sleeping,
    K: sleeping,
    W: sleeping,
    T: stopped,
    t: stopped,
    Z: defunct,
  }).map(([letter, state]) => [letter.charCodeAt(0), state]),
);

const processesPerStep = 16;

/**
 * system.process.count by state, from the /proc/<pid>/stat of every process: no file of the kernel has these counts, and a file
 * for each process is the only exact way. {@link SlicedScan} bounds the cost. system.process.created is from /proc/stat.
 */
export class ProcessesSource implements Source, Scan {
  readonly name = 'host.processes';
  readonly #context: HostContext;
  readonly #scan: SlicedScan;
  readonly #stat: ProcFile;
  readonly #lines = new KeyedLines(['processes ']);
  readonly #set: SeriesSet;
  readonly #directory: string;
  readonly #counts = new Float64Array(states.length);
  #names: string[] = [];
  #next = 0;
  #failure: unknown;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  #warned = false;

  constructor(context: HostContext, group: SeriesCells) {
    this.#context = context;
    this.#scan = new SlicedScan(context.clock, this);
    this.#directory = `${context.root}/proc`;
    this.#stat = new ProcFile(context, '/proc/stat', 'system.process.created is');
    const base = { scope: context.scope, ...sinceBoot(context.boot) };
    this.#set = new SeriesSet(group, [
      ...states.map((state) => ({
        ...base,
        metric: count,
        attributes: attributes({ 'process.state': state }),
      })),
      { ...base, metric: created, attributes: noAttributes },
    ]);
  }

  collect(): void {
    if (this.#stat.read()) {
      this.#lines.read(this.#context.text);
      this.#set.put(createdIndex, this.#lines.values[0]!);
    } else {
      this.#set.put(createdIndex, Number.NaN);
    }
    if (this.#context.clock.monotonicMs() >= this.#retryAtMs) this.#scan.run();
  }

  begin(): void {
    this.#counts.fill(0);
    this.#next = 0;
    this.#failure = undefined;
    try {
      this.#names = fs.readdirSync(this.#directory);
    } catch (error) {
      this.#names = [];
      this.#failure = error;
    }
  }

  step(): boolean {
    const to = Math.min(this.#next + processesPerStep, this.#names.length);
    for (; this.#next < to; this.#next++) this.#countOne(this.#names[this.#next]!);
    return this.#next < this.#names.length && this.#failure === undefined;
  }

  finish(): void {
    this.#names = [];
    const failed = this.#failure !== undefined;
    for (let i = 0; i < states.length; i++) this.#set.put(i, failed ? Number.NaN : this.#counts[i]!);
    if (!failed) return;
    this.#retryAtMs = this.#context.clock.monotonicMs() + retryAfterMs;
    if (this.#warned) return;
    this.#warned = true;
    this.#context.log.warn(
      { path: this.#directory },
      `cannot read the processes in ${this.#directory} (${causeOf(this.#failure)}): system.process.count is left out; tried again every ${retryAfterMs / 1000} s`,
    );
  }

  #countOne(name: string): void {
    const first = name.charCodeAt(0);
    if (first < 49 || first > 57) return;
    const { text } = this.#context;
    try {
      const fd = fs.openSync(`${this.#directory}/${name}/stat`, 'r');
      try {
        text.fillPart(fd, 0);
      } finally {
        fs.closeSync(fd);
      }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // It ended meanwhile. Any other failure means that not all processes can be seen, and a part is no count.
      if (code !== 'ENOENT' && code !== 'ESRCH') this.#failure = error;
      return;
    }
    // `42 (a name that may hold anything) S 1 …`
    const state = stateOfLetter.get(text.bytes[text.bytes.lastIndexOf(41, text.end - 1) + 2]!);
    if (state !== undefined) this.#counts[state]!++;
  }
}
