import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import test from 'ava';
import type { Command } from 'commander';
import { program } from '../../cli/program.ts';
import { type Block, blocks, pages, root } from './pages.ts';

const examples = pages().flatMap(blocks);
const yaml = examples.filter(({ language }) => language === 'yaml');
/** A configuration for Prometheus is none of ours. */
const isOurs = ({ text }: Block) => !text.startsWith('scrape_configs:');

const directory = mkdtempSync(path.join(tmpdir(), 'streamgauge-docs-'));
test.after.always(() => rmSync(directory, { recursive: true }));

async function check(block: Block): Promise<{ code: number; said: string }> {
  const file = path.join(directory, `${block.page.replace(/\W/g, '-')}-${block.line}.yaml`);
  writeFileSync(file, block.text);
  const child = spawn(process.execPath, [path.join(root, 'cli/streamgauge.mjs'), 'check', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 50_000,
  });
  const exit = once(child, 'exit');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = (await exit) as [number];
  return { code, said: stdout + stderr };
}

for (const block of yaml.filter(isOurs))
  test(`streamgauge check takes the configuration at ${block.page}:${block.line}`, async (t) => {
    const { code, said } = await check(block);
    t.is(code, 0, said);
    t.regex(said, /: ok, a configuration for the (agent|collector)\n/);
  });

test('there are configurations for both programs, and what is not one of them is refused', async (t) => {
  t.true(yaml.filter(isOurs).length >= 4);
  t.is((await check({ ...yaml[0]!, line: 0, text: 'grpc: {prt: 1}\n' })).code, 1);
});

/** Each command line of a shell block that runs streamgauge or npm, as words, without comments. */
function commandLines(): { where: string; words: string[] }[] {
  return examples
    .filter(({ language }) => language === 'sh')
    .flatMap(({ page, line, text }) =>
      text
        .split('\n')
        .map((row, i) => ({ where: `${page}:${line + i}`, words: row.replace(/ +#.*$/, '').split(' ') })),
    )
    .filter(({ words }) => words.some((word) => word === 'streamgauge' || word === 'npm'));
}

function optionsOf(command: Command): string[] {
  return command.options.flatMap(({ short, long }) => [short, long]).filter((name) => name != null);
}

test('commands, options and scripts in shell examples exist', (t) => {
  const cli = program();
  const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const lines = commandLines();
  t.true(lines.length > 10);
  for (const { where, words } of lines) {
    const at = words.findIndex((word) => word === 'streamgauge' || word === 'npm');
    const isNpm = words[at] === 'npm';
    const name = isNpm && words[at + 1] === 'run' ? words[at + 2]! : words[at + 1]!;
    if (isNpm) t.true(name === 'pack' || name in scripts, `${where}: npm ${name}`);
    if (isNpm && name === 'bench')
      t.true(existsSync(path.join(root, 'test/bench', `${words[at + 3]}.ts`)), where);
    const command = cli.commands.find((each) => each.name() === (isNpm ? 'up' : name));
    t.truthy(command, `${where}: ${name}`);
    for (const word of words.slice(at + 1)) {
      const option = word.split('=', 1)[0]!;
      if (option.startsWith('-') && option !== '--')
        t.true(optionsOf(command!).includes(option), `${where}: ${option}`);
    }
  }
});
