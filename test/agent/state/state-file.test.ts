import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { AgentState } from '../../../agent/state/agent-state.ts';
import { SamplingGroup } from '../../../agent/state/sampling-group.ts';
import { fileText, StateFile, type StateStorage } from '../../../agent/state/state-file.ts';
import { AttributeMap, attributes } from '../../../otel/model/attributes.ts';
import { FakeClock } from '../fake-clock.ts';
import { recordedLog } from '../recorded-log.ts';
import { keptCounter } from './kept-source.ts';
import { MemoryDisk, MemoryStorage } from './memory-storage.ts';

function directory(t: ExecutionContext): string {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), 'streamgauge-state-'));
  t.teardown(() => fs.rmSync(made, { recursive: true }));
  return made;
}

let runs = 0;

/** One run of an agent that has a state and nothing else. */
function run(storage: StateStorage, member = 'm', bootId = 'boot') {
  const clock = new FakeClock();
  const log = recordedLog();
  const incarnation = (++runs).toString(16).padStart(32, '0');
  const state = new AgentState({
    incarnation,
    clock,
    log,
    bootClockMs: () => clock.monotonicMs() + 1_000_000,
  });
  state.open({ memberId: member, bootId }, storage, () => {});
  const group = new SamplingGroup(0, 1000, incarnation, state.lives);
  return { state, group, clock, log, warnings: () => log.lines.filter(({ level }) => level === 'warn') };
}

/** Everything that a state file can hold. */
async function written(t: ExecutionContext): Promise<{ file: StateFile; text: string }> {
  const file = new StateFile(directory(t));
  const { state, group } = run(file);
  const rich = attributes({
    text: 'ä"\n',
    yes: true,
    int: -5n,
    double: 0.5,
    zero: -0,
    huge: Infinity,
    none: null,
    bytes: new Uint8Array([0, 255]),
    list: ['a', 1n],
    map: new AttributeMap(attributes({ deep: 1n })),
  });
  const resource = { attributes: attributes({ 'service.name': 'relayed' }), schemaUrl: 'https://schema/1' };
  group.setCounter(group.define({ ...keptCounter('a'), attributes: rich, resource }), 12.25);
  const ended = group.define(keptCounter('b'));
  group.setCounter(ended, 7);
  group.retire(ended, 'gone');
  const refused = group.define(keptCounter('c'));
  group.setCounter(refused, 3);
  group.heldBack(refused);
  const kernel = group.define({ ...keptCounter('d'), epoch: { token: 'boot/d', beganMs: -5 } });
  group.setCounter(kernel, 9);
  group.setCounter(kernel, 1);
  state.acknowledged(41, {
    directoryId: Buffer.alloc(16, 1),
    term: Buffer.alloc(8, 2),
    journalPosition: 2 ** 40,
  });
  await state.close(false);
  return { file, text: fs.readFileSync(file.path, 'utf8') };
}

test('what a run leaves is what the next one has', async (t) => {
  const { file, text } = await written(t);
  t.is(fs.statSync(file.path).mode & 0o777, 0o600);
  t.deepEqual(fs.readdirSync(path.dirname(file.path)), ['agent-state']);
  const next = run(file);
  t.deepEqual(next.warnings(), []);
  t.deepEqual(next.state.position, {
    directoryId: Buffer.alloc(16, 1),
    term: Buffer.alloc(8, 2),
    journalPosition: 2 ** 40,
  });
  const finals = [...next.state.finals.unacknowledged()];
  t.deepEqual(
    finals.map(({ value }) => value),
    [7, 12.25],
  );
  const [b, a] = finals;
  t.is(b!.series.metric.name, 'jobs.done');
  t.is(a!.series.resource!.schemaUrl, 'https://schema/1');
  t.deepEqual(
    a!.series.attributes,
    attributes({
      text: 'ä"\n',
      yes: true,
      int: -5n,
      double: 0.5,
      zero: -0,
      huge: Infinity,
      none: null,
      bytes: new Uint8Array([0, 255]),
      list: ['a', 1n],
      map: new AttributeMap(attributes({ deep: 1n })),
    }),
  );
  // Both clocks since the boot are a million milliseconds ahead of the process's.
  t.is(a!.series.epoch!.beganMs, 5000.25);
  t.deepEqual(next.state.notCounted.lines, [{ metric: 'jobs.done', cause: 'refused', series: 1, amount: 3 }]);
  // The kernel's counter goes on in the life that it fell into.
  const kernel = next.group.define({ ...keptCounter('d'), epoch: { token: 'boot/d', beganMs: -5 } });
  t.regex(next.group.seriesAt(kernel)!.epoch!.token, /^boot\/d#[0-9a-f]{32}\.1$/);
  // Under another boot, its source tells another one.
  const rebooted = next.group.define({ ...keptCounter('d'), epoch: { token: 'boot 2/d', beganMs: -5 } });
  t.is(next.group.seriesAt(rebooted)!.epoch!.token, 'boot 2/d');
  t.true(text.startsWith('streamgauge agent state 1 '));
});

test('in another boot nobody knows when an epoch began', async (t) => {
  const { file } = await written(t);
  const next = run(file, 'm', 'boot 2');
  for (const { series } of next.state.finals.unacknowledged()) t.is(series.epoch!.beganMs, undefined);
});

test('any byte that is another one, and any length that is shorter: the file is used exactly, or set aside', async (t) => {
  const { text } = await written(t);
  const bytes = Buffer.from(text);
  const usable = (content: Buffer): boolean => {
    const folder = directory(t);
    const file = new StateFile(folder);
    fs.writeFileSync(file.path, content);
    const { state, warnings } = run(file);
    const aside = fs.readdirSync(folder).filter((name) => name.startsWith('agent-state.unusable-'));
    t.is(warnings().length, aside.length);
    if (aside.length === 0) return true;
    t.deepEqual(fs.readFileSync(path.join(folder, aside[0]!)), content);
    t.regex(
      warnings()[0]!.message,
      /^the state file .*agent-state cannot be used: .*, and counting begins anew$/,
    );
    t.is(state.finals.size + state.falls.size, 0);
    t.is(state.position, undefined);
    return false;
  };
  t.true(usable(bytes));
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const changed = Buffer.from(bytes);
      changed[at] = changed[at]! ^ flip;
      return !usable(changed);
    }),
    { numRuns: 120 },
  );
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), (length) => !usable(bytes.subarray(0, length))),
    { numRuns: 40 },
  );
});

const unusable = test.macro<[change: (text: string) => string, why: RegExp, member?: string]>({
  async exec(t, change, why, member) {
    const { file, text } = await written(t);
    fs.writeFileSync(file.path, change(text));
    const { state, warnings } = run(file, member);
    t.is(warnings().length, 1);
    t.regex(warnings()[0]!.message, why);
    t.is(state.finals.size, 0);
    t.is(fs.readdirSync(path.dirname(file.path)).length, 2);
  },
  title: (what = '') => `set aside: ${what}`,
});
const withBody = (change: (body: string) => string) => (text: string) =>
  fileText(change(text.slice(text.indexOf('\n') + 1)));
test('an empty file', unusable, () => '', /it begins with ""/);
test("another program's", unusable, () => '{"a": 1}\n', /it begins with .*, not "streamgauge agent state"/);
test(
  'a newer version',
  unusable,
  (text) => text.replace('state 1 ', 'state 2 '),
  /is of version 2, and this agent knows 1/,
);
test("another agent's", unusable, (text) => text, /it is the state of agent "m", and this is "n"/, 'n');
test('no JSON', unusable, () => fileText('{'), /it is no JSON/);
test('no object', unusable, () => fileText('[]'), /is no object/);
test(
  'a value below zero',
  unusable,
  withBody((body) => body.replace('[12.25,', '[-12.25,')),
  /-12.25 is no number from 0 on/,
);
test(
  'a value too few',
  unusable,
  withBody((body) => body.replace('[12.25,0],', '')),
  /series with \d values/,
);
test(
  'a metric without a name',
  unusable,
  withBody((body) => body.replaceAll('"jobs.done","unit"', '"","unit"')),
  /metrics\[0\]\.name/,
);
test(
  'a reference that leads nowhere',
  unusable,
  withBody((body) => body.replace('"scope":0', '"scope":9')),
  /there is no entry 9/,
);

test('a place that cannot be used costs one warning, and the agent counts', (t) => {
  const folder = directory(t);
  fs.writeFileSync(path.join(folder, 'file'), '');
  const { state, group, warnings } = run(new StateFile(path.join(folder, 'file', 'state')));
  t.is(warnings().length, 1);
  t.regex(warnings()[0]!.message, /^cannot keep the agent's state in .*\(ENOTDIR.*\): .*--state-dir/);
  group.setCounter(group.define(keptCounter('a')), 1);
  state.collected();
  t.true(state.mayTell());
  t.like(state.status(), { path: '', isSaved: false, kept: 1 });
});

const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux('a second agent with the same directory says so, keeps nothing and touches nothing', async (t) => {
  const { file } = await written(t);
  const text = fs.readFileSync(file.path, 'utf8');
  // The parent of this process lives.
  const stat = fs.readFileSync(`/proc/${process.ppid}/stat`, 'latin1');
  const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  const held = withBody((body) =>
    body.replace(/"pid":\d+,"startTicks":\d+/, `"pid":${process.ppid},"startTicks":${ticks}`),
  )(text);
  fs.writeFileSync(file.path, held);
  const { state, warnings } = run(file);
  t.is(warnings().length, 1);
  t.regex(
    warnings()[0]!.message,
    new RegExp(`^the agent with process id ${process.ppid} keeps its state in .*--state-dir`),
  );
  t.is(state.finals.size, 0);
  await state.close(false);
  t.is(fs.readFileSync(file.path, 'utf8'), held);
});

test('a disk that is full: one warning, what is counted is told all the same, and the file is whole when there is room', async (t) => {
  const disk = new MemoryDisk();
  const storage = new MemoryStorage(disk);
  const { state, group, clock, warnings, log } = run(storage);
  const cell = group.define(keptCounter('a'));
  disk.error = new Error('ENOSPC: no space left on device');
  for (let second = 1; second <= 30; second++) {
    group.setCounter(cell, second);
    state.collected();
    clock.advance(1000);
    storage.flush();
    await new Promise(setImmediate);
  }
  t.is(warnings().length, 1);
  t.regex(warnings()[0]!.message, /^cannot keep the agent's state in .*ENOSPC/);
  t.false(state.status().isSaved);
  t.true(state.mayTell());
  disk.error = undefined;
  for (let second = 0; second < 12; second++) {
    state.collected();
    clock.advance(1000);
    storage.flush();
    await new Promise(setImmediate);
  }
  t.true(state.status().isSaved);
  t.true(log.lines.some(({ message }) => message.endsWith('again')));
  const next = run(new MemoryStorage(disk));
  t.deepEqual(
    [...next.state.finals.unacknowledged()].map(({ value }) => value),
    [30],
  );
});

test('the file is written once a second while something changes, and not otherwise', async (t) => {
  const disk = new MemoryDisk();
  const storage = new MemoryStorage(disk);
  const { state, group, clock } = run(storage);
  const kept = group.define(keptCounter('a'));
  const kernel = group.define({ ...keptCounter('b'), epoch: { token: 'boot', beganMs: 0 } });
  let writes = 0;
  let before = disk.content;
  const seconds = async (count: number, step: (n: number) => void): Promise<number> => {
    writes = 0;
    for (let n = 1; n <= count * 4; n++) {
      step(n);
      state.collected();
      clock.advance(250);
      storage.flush();
      await new Promise(setImmediate);
      if (disk.content !== before) writes++;
      before = disk.content;
    }
    return writes;
  };
  await seconds(3, () => {});
  t.is(await seconds(20, (n) => group.setCounter(kernel, n)), 0);
  const changing = await seconds(20, (n) => group.setCounter(kept, n));
  t.true(changing >= 19 && changing <= 21, String(changing));
});
