import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { ProcText } from '../../../../agent/sources/host/proc-text.ts';

function fileOf(content: string): number {
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'streamgauge-text-')), 'file');
  fs.writeFileSync(file, content);
  const fd = fs.openSync(file, 'r');
  fs.rmSync(path.dirname(file), { recursive: true });
  return fd;
}

function filled(content: string): ProcText {
  const text = new ProcText();
  const fd = fileOf(content);
  text.fill(fd);
  fs.closeSync(fd);
  return text;
}

test('whole numbers are exact up to 2^53 and wrap there', (t) => {
  fc.assert(
    fc.property(fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { minLength: 1 }), (numbers) => {
      const text = filled(`${numbers.join(' \t')}\n`);
      for (const number of numbers) t.is(text.integer(), Number(number % 2n ** 53n));
      t.is(text.integer(), Number.NaN);
    }),
    { numRuns: 50 },
  );
});

test('hundredths of a decimal', (t) => {
  const text = filled('0.00 12.34 7.5 3 1234567.89 -1');
  const read = Array.from({ length: 6 }, () => text.hundredths());
  t.deepEqual(read, [0, 1234, 750, 300, 123456789, Number.NaN]);
});

test('a file longer than the buffer, without a last newline, is read whole', (t) => {
  const lines = Array.from({ length: 9000 }, (_, i) => `line ${i}`);
  const text = filled(lines.join('\n'));
  const found: string[] = [];
  for (; text.more; text.nextLine()) {
    const from = text.at;
    text.skipWord();
    text.integer();
    found.push(text.bytes.toString('latin1', from, text.at));
  }
  t.deepEqual(found, lines);
});

test('an empty file is refused', (t) => {
  t.throws(() => filled(''), { message: /empty/ });
});
