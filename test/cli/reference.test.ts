import { readFileSync } from 'node:fs';
import test from 'ava';
import { reference, referenceFile } from '../../cli/write-reference.ts';

test('docs/configuration.md is what the schemas say; `npm run docs` writes it', (t) => {
  t.is(readFileSync(referenceFile, 'utf8'), reference());
});

test('every key is explained', (t) => {
  const rows = reference()
    .split('\n')
    .filter((line) => line.startsWith('| `') && !line.startsWith('| `OTEL_'));
  t.true(rows.length > 100);
  for (const row of rows) t.regex(row, /\| [^|]{8,} \|$/, row);
});
