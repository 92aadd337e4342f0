import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Range } from '../../integration/conservation/truth.ts';

/**
 * What the agents of one host counted by themselves, run after run. Of a run that was killed, what its state file held is sure to be told by the next; what it
 * said last is the most that anyone can know of.
 */
export class KeptCounts {
  readonly #folder: string;
  readonly #id: string;
  /** Of each run, in their order. */
  readonly #least: number[] = [];

  constructor(folder: string, id: string) {
    this.#folder = folder;
    this.#id = id;
  }

  /** Called when a run is over and before the next one begins. @param pid of its process; @param isDelivered it ended in order, with all acknowledged */
  ended(pid: number, isDelivered = false): void {
    const runs = this.#said();
    // It was killed before it said anything.
    if (runs.length === this.#least.length) return;
    this.#least.push(isDelivered ? runs.at(-1)! : this.#saved(pid));
  }

  get range(): Range {
    const most = this.#said();
    if (most.length !== this.#least.length)
      throw new Error(`${this.#id} had ${most.length} runs, and ${this.#least.length} of them have ended`);
    const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);
    return { least: sum(this.#least), most: sum(most) };
  }

  /** What the state file still holds for the next run: nobody has been told of it yet. To be asked for when no agent runs. */
  get held(): number {
    const { counting, finals } = this.#file();
    return [...counting, ...finals].reduce((sum, [value]) => sum + value, 0);
  }

  /** How many lives that have ended the state file holds for want of an acknowledgement. */
  get waiting(): number {
    return this.#file().finals.length;
  }

  /** The last whole line of each run. */
  #said(): number[] {
    const text = readFileSync(path.join(this.#folder, `${this.#id}.kept`), 'utf8');
    const runs: number[] = [];
    for (const line of text.split('\n').slice(0, -1)) {
      if (line === 'run') runs.push(0);
      else runs[runs.length - 1] = Number(line);
    }
    return runs;
  }

  #saved(pid: number): number {
    const { run, counting } = this.#file();
    // Of the run before: this one had not written yet.
    return run.pid === pid ? counting.reduce((sum, [value]) => sum + value, 0) : 0;
  }

  /** docs/agent-state.md, "Format, version 1". */
  #file(): StateFile {
    const file = path.join(this.#folder, `${this.#id}.state`, 'agent-state');
    if (!existsSync(file)) return { run: { pid: 0 }, counting: [], finals: [] };
    const text = readFileSync(file, 'utf8');
    return JSON.parse(text.slice(text.indexOf('\n') + 1)) as StateFile;
  }
}

interface StateFile {
  readonly run: { readonly pid: number };
  /** Values with their flags. */
  readonly counting: readonly (readonly [number, number])[];
  readonly finals: readonly (readonly [number, number])[];
}
