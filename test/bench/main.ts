// `npm run bench NAME [ARGUMENTS]`: runs test/bench/NAME.ts, which prints a table, and prints one JSON object with every figure as the last line.
import { readdir } from 'node:fs/promises';
import os from 'node:os';

/** What a module in this folder exports to be a benchmark. */
export interface Benchmark {
  /** One line for the list. */
  readonly summary: string;
  /**
   * Prints its table and returns every figure by name. Throws when the benchmark finds its own result wrong, so that a figure
   * is never that of work not done.
   */
  run(args: readonly string[]): Promise<Figures>;
}

export type Figures = Record<string, number | string>;

async function benchmarks(): Promise<Map<string, Benchmark>> {
  const found = new Map<string, Benchmark>();
  for (const file of (await readdir(import.meta.dirname)).sort()) {
    if (!file.endsWith('.ts') || file === 'main.ts') continue;
    const module = (await import(`./${file}`)) as Partial<Benchmark>;
    if (typeof module.run === 'function') found.set(file.slice(0, -3), module as Benchmark);
  }
  return found;
}

async function main([name, ...args]: readonly string[]): Promise<number> {
  const all = await benchmarks();
  const benchmark = all.get(name ?? '');
  if (name === undefined || benchmark === undefined) {
    if (name !== undefined) console.error(`There is no benchmark ${JSON.stringify(name)}.`);
    console.error('Usage: npm run bench NAME [ARGUMENTS]\n');
    for (const [each, { summary }] of all) console.error(`  ${each.padEnd(10)} ${summary ?? ''}`);
    return 1;
  }
  const figures = await benchmark.run(args);
  const machine = { node: process.versions.node, cpus: os.availableParallelism() };
  console.log(JSON.stringify({ name, ...machine, ...figures }));
  return 0;
}

// Set rather than exited with, so that a benchmark that leaves something open is seen.
process.exitCode = await main(process.argv.slice(2));
