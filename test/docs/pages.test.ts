import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { pages, root } from './pages.ts';

/** The anchors of a page's headings, as GitHub makes them. */
function anchors(text: string): Set<string> {
  const headings = text.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/^#+ (.*)$/gm);
  return new Set(
    [...headings].map(([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

test('links between pages lead to files and headings that exist', (t) => {
  let links = 0;
  for (const { name, text } of pages())
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      links++;
      const [file = '', anchor] = target.split('#');
      const place = file === '' ? path.join(root, name) : path.join(root, path.dirname(name), file);
      t.true(existsSync(place), `${name}: ${target}`);
      if (anchor !== undefined)
        t.true(anchors(readFileSync(place, 'utf8')).has(anchor), `${name}: ${target}`);
    }
  t.true(links > 20);
});

test('the folders and files that docs/architecture.md names exist', (t) => {
  const { text } = pages().find(({ name }) => name === 'docs/architecture.md')!;
  const tree = /## What lives where\n\n```\n([\s\S]*?)```/.exec(text)![1]!;
  const named = new Set<string>();
  let top = '';
  for (const line of tree.split('\n')) {
    const [, indent, folder] = /^( *)(\w+\/)?/.exec(line)!;
    if (folder === undefined) continue;
    if (indent === '') top = folder;
    named.add(indent === '' ? folder : `${top}${folder}`);
  }
  t.true(named.size > 20);
  for (const folder of named) t.true(existsSync(path.join(root, folder)), folder);
  for (const top of ['agent', 'collector', 'otel', 'proto'])
    for (const entry of readdirSync(path.join(root, top), { withFileTypes: true }))
      if (entry.isDirectory())
        t.true(named.has(`${top}/${entry.name}/`), `${top}/${entry.name} is not in the tree`);
});

/** The first column's texts in backticks, of the table below a heading. */
function messages(heading: string): string[] {
  const { text } = pages().find(({ name }) => name === 'docs/operations.md')!;
  const section = text.slice(text.indexOf(`### ${heading}\n`)).split(/\n## |\n### /, 2)[0]!;
  const [, ...rows] = section.split('\n').filter((line) => line.startsWith('| `'));
  return rows.flatMap((row) => [...row.split(' | ', 1)[0]!.matchAll(/`([^`]+)`/g)].map(([, said]) => said!));
}

test('log messages that docs/operations.md explains are what the sources say', (t) => {
  const files = globSync('{agent,collector,otel,cli}/**/*.ts', { cwd: root });
  const sources = files
    .map((file) => readFileSync(path.join(root, file), 'utf8'))
    .join('\n')
    // Services have messages of the agent's, with their own name.
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as the sources have it
    .replaceAll('${self}', 'agent')
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as the sources have it
    .replaceAll('${names.memberId}', 'agent_id');
  for (const heading of ["The collector's", "The agent's"]) {
    const said = messages(heading);
    t.true(said.length > 8, heading);
    for (const message of said)
      for (const part of message.split('…').map((each) => each.trim()))
        if (part.length > 2) t.true(sources.includes(part), `${message}: ${part}`);
  }
});
