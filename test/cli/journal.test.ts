import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { silentLog } from '../../collector/journal/journal-log.ts';
import type { JournalOptions } from '../../collector/journal/journal-options.ts';
import { openDataDirectory } from '../../collector/journal/open-data-directory.ts';
import { Child } from '../process/child.ts';

const entry = path.resolve(import.meta.dirname, '../../cli/streamgauge.mjs');
const directory = mkdtempSync(path.join(os.tmpdir(), 'streamgauge-'));
test.after.always(() => rmSync(directory, { recursive: true }));

async function inspect(...args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const child = new Child(process.execPath, [entry, 'journal', 'inspect', ...args]);
  const { code } = await child.wait();
  return { code, output: child.output };
}

const begun = async (options: JournalOptions) =>
  (await openDataDirectory(directory, silentLog)).begin(options);

/** Everything in it but the locks, which are sockets. */
const contents = (): Record<string, string> =>
  Object.fromEntries(
    readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .filter((name) => statSync(path.join(directory, name)).isFile())
      .map((name) => [name, readFileSync(path.join(directory, name), 'base64')]),
  );

test.serial(
  'a directory that is written to: who holds it, what is in it, every record; nothing is changed',
  async (t) => {
    const { state } = await begun({ segmentBytes: 1024 });
    const positions: number[] = [];
    for (let i = 0; i < 20; i++) {
      positions.push(state.journal.append(i, Buffer.alloc(100 + i)));
      await state.journal.committed(positions[i]!);
      if (i === 9)
        await state.writeCheckpoint(positions[i]!, [{ type: 1, key: 1, bytes: Buffer.from('state') }]);
    }
    const before = contents();
    const { code, output } = await inspect(directory);
    t.is(code, 0, output);
    for (const expected of [
      `data directory  ${directory}\n`,
      `id              ${state.directoryId.toString('hex')}\n`,
      `held by         process ${process.pid} on ${os.hostname()}, since `,
      `terms (1, the latest first)\n`,
      `  ${state.term.toString('hex')}  20`,
      'checkpoints (1)\n',
      `  ${positions[9]}  `,
      ` to ${positions[19]}  `,
      'damage: no file was put aside\n',
    ])
      t.true(output.includes(expected), `${expected}\n${output}`);
    t.notRegex(output, /DAMAGED|problem/);

    const listed = (await inspect(directory, '--records')).output.split('\n\n')[0]!.split('\n');
    // What the checkpoint covers is gone but for the segment in which it lies.
    const kept = listed.length;
    t.true(kept >= 10 && kept < 20);
    const expected = positions.slice(-kept).map((position, i) => [position, 20 - kept + i, 120 - kept + i]);
    t.deepEqual(
      listed.map((line) =>
        /^ *(\d+) {2}type +(\d+) +(\d+) bytes {2}segment-[0-9a-f]+$/.exec(line)!.slice(1).map(Number),
      ),
      expected,
    );
    t.deepEqual(contents(), before);
    await state.close();
  },
);

test.serial('damaged files are shown as such, and left as they are', async (t) => {
  const names = readdirSync(directory).sort();
  const segment = names.find((name) => name.startsWith('segment'))!;
  const checkpoint = names.find((name) => name.startsWith('checkpoint'))!;
  for (const name of [segment, checkpoint]) {
    const bytes = readFileSync(path.join(directory, name));
    bytes[bytes.length - 40]! ^= 1;
    writeFileSync(path.join(directory, name), bytes);
  }
  writeFileSync(path.join(directory, 'terms'), 'nonsense');
  writeFileSync(path.join(directory, 'directory.json'), '{');
  const before = contents();
  const { code, output } = await inspect(directory);
  t.is(code, 1);
  t.regex(output, /^held by {9}nobody$/m);
  t.regex(output, /^id {14}cannot be read$/m);
  t.regex(output, /^problem {9}directory\.json: it is no JSON$/m);
  t.regex(output, /^problem {9}terms: 0 of its entries can be read, then 8 bytes cannot$/m);
  t.regex(
    output,
    new RegExp(`^ {2}${segment} .*DAMAGED: \\d+ bytes from offset \\d+ on are no whole commit$`, 'm'),
  );
  t.regex(output, new RegExp(`^ {2}${checkpoint} .*its checksum is wrong$`, 'm'));
  t.deepEqual(contents(), before);
});

test.serial('what was put aside is listed', async (t) => {
  const { state, report } = await begun({});
  t.true(report.losesAcknowledged);
  await state.close();
  const { code, output } = await inspect(directory);
  t.is(code, 0, output);
  t.regex(output, /^damage \(\d+ files in the folder damaged\)$/m);
  t.regex(output, /^ {2}checkpoint-[0-9a-f]{14}\.\d{8}T\d{9}Z /m);
  t.regex(output, /after a loss of acknowledged data$/m);
});

test('no directory, or nothing in it', async (t) => {
  const missing = path.join(directory, 'missing');
  t.deepEqual(await inspect(missing), {
    code: 1,
    output: `streamgauge: cannot read ${missing}: there is no such directory; give the directory that the collector got as --data-dir\n`,
  });
});
