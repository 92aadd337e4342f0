// `npm run bench NAME [ARGUMENTS]`: runs test/bench/NAME.ts, which prints a table, and prints one JSON object with every figure as the last line.
import { readdir } from 'node:fs/promises';
import os from 'node:os';

/** What a module in this folder exports to be a benchmark. */
export interface Benchmark {
  /** One line for the list. */
  readonly summary?: string;
  /**
   * Prints its table and returns every figure by name. Throws when the benchmark finds its own result wrong, so that a figure
   * is never that of work not done.
   */
  run(args: readonly string[]): Promise<Figures>;
}

export type Figures = Record<string, number | string>;

async function load(file: string): Promise<Partial<Benchmark>> {
  return (await import(`./${file}`)) as Partial<Benchmark>;
}

async function list(files: readonly string[]): Promise<string> {
  let text = 'Usage: npm run bench NAME [ARGUMENTS]\n\n';
  for (const file of files) {
    const { run, summary = '' } = await load(file);
    if (run !== undefined) text += `  ${file.slice(0, -3).padEnd(10)} ${summary}\n`;
  }
  return text;
}

async function main([name, ...args]: readonly string[]): Promise<number> {
  const files = (await readdir(import.meta.dirname)).filter((file) => file.endsWith('.ts')).sort();
  files.splice(files.indexOf('main.ts'), 1);
  const run = files.includes(`${name}.ts`) ? (await load(`${name}.ts`)).run : undefined;
  if (run === undefined) {
    if (name !== undefined) console.error(`There is no benchmark ${JSON.stringify(name)}.`);
    console.error(await list(files));
    return 1;
  }
  const machine = { node: process.versions.node, cpus: os.availableParallelism() };
  const figures = await run(args);
  console.log(JSON.stringify({ name, ...machine, ...figures }));
  return 0;
}

// Set rather than exited with, so that a benchmark that leaves something open is seen.
process.exitCode = await main(process.argv.slice(2));
