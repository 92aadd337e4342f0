import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Page {
  /** From the root: `docs/operations.md`. */
  readonly name: string;
  readonly text: string;
}

export interface Block {
  readonly page: string;
  /** Of its first line of text, from 1. */
  readonly line: number;
  readonly language: string;
  readonly text: string;
}

/** Every page that users read. */
export function pages(): Page[] {
  const docs = readdirSync(path.join(root, 'docs')).filter((name) => name.endsWith('.md'));
  return ['README.md', 'CHANGELOG.md', ...docs.sort().map((name) => `docs/${name}`)].map((name) => ({
    name,
    text: readFileSync(path.join(root, name), 'utf8'),
  }));
}

/** The fenced blocks of a page. */
export function blocks({ name, text }: Page): Block[] {
  const found: Block[] = [];
  let open: { line: number; language: string; lines: string[] } | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const fence = /^```(\w*)$/.exec(line);
    if (fence === null) open?.lines.push(line);
    else if (open === undefined) open = { line: index + 2, language: fence[1]!, lines: [] };
    else {
      found.push({
        page: name,
        line: open.line,
        language: open.language,
        text: `${open.lines.join('\n')}\n`,
      });
      open = undefined;
    }
  }
  if (open !== undefined) throw new Error(`${name}:${open.line - 1}: the block is not closed`);
  return found;
}
