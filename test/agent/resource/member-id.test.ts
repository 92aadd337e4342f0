import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { memberId } from '../../../agent/resource/member-id.ts';
import { StreamgaugeError } from '../../../proto/error.ts';

const machine = '3d1219c7c4c5404aaa1f6d2a48adfda4';
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function logOf() {
  const warnings: string[] = [];
  return { warnings, log: { warn: (_fields: object, message: string) => warnings.push(message) } };
}

function directory(): string {
  return fs.mkdtempSync(path.join(os.tmpdir(), 'streamgauge-member-'));
}

test('the configured id goes before all', (t) => {
  const { log, warnings } = logOf();
  const stateDirectory = directory();
  t.is(memberId({ configured: 'web-1', stateDirectory, machineId: machine, log }), 'web-1');
  t.deepEqual(fs.readdirSync(stateDirectory), []);
  t.deepEqual(warnings, []);
  fs.rmSync(stateDirectory, { recursive: true });
});

test('an id is made in the state directory once, for its owner only, and then kept', (t) => {
  const { log, warnings } = logOf();
  const stateDirectory = path.join(directory(), 'not', 'yet');
  const first = memberId({ stateDirectory, machineId: machine, log });
  t.regex(first, uuid);
  t.is(memberId({ stateDirectory, machineId: machine, log }), first);
  t.is(memberId({ stateDirectory, log }), first);
  t.deepEqual(fs.readdirSync(stateDirectory), ['member-id']);
  t.is(fs.statSync(path.join(stateDirectory, 'member-id')).mode & 0o777, 0o600);
  const elsewhere = directory();
  t.not(memberId({ stateDirectory: elsewhere, machineId: machine, log }), first);
  t.deepEqual(warnings, []);
  fs.rmSync(path.dirname(path.dirname(stateDirectory)), { recursive: true });
  fs.rmSync(elsewhere, { recursive: true });
});

test('a state directory that cannot be used: the machine id stands in, with one warning', (t) => {
  const { log, warnings } = logOf();
  const parent = directory();
  const stateDirectory = path.join(parent, 'file');
  fs.writeFileSync(stateDirectory, '');
  const id = memberId({ stateDirectory, machineId: machine, log });
  t.is(id, memberId({ machineId: machine, log }));
  t.is(warnings.length, 1);
  t.regex(warnings[0]!, /member-id/);
  fs.rmSync(parent, { recursive: true });
});

test('from the machine id an id that does not show it, and differs by machine and container', (t) => {
  const { log, warnings } = logOf();
  const ids = [
    memberId({ machineId: machine, log }),
    memberId({ machineId: machine.replace('3', '4'), log }),
    memberId({ machineId: machine, containerId: 'a'.repeat(64), log }),
    memberId({ machineId: machine, containerId: 'b'.repeat(64), log }),
  ];
  t.is(new Set(ids).size, 4);
  for (const id of ids) {
    t.regex(id, uuid);
    t.false(id.replaceAll('-', '').includes(machine.slice(0, 8)));
  }
  // The value itself is a promise to all agents that were started before: it never changes.
  t.is(ids[0], '7ff16527-f16f-433b-8dbd-4ff3df82a89e');
  t.deepEqual(warnings, []);
});

test('with nothing to go by, a random id and a warning', (t) => {
  const { log, warnings } = logOf();
  t.not(memberId({ log }), memberId({ log }));
  t.is(warnings.length, 2);
  t.regex(warnings[0]!, /agent_id/);
});

test('an id that no collector would take is refused by name', (t) => {
  const { log } = logOf();
  const refused = (configured: string) => {
    const error = t.throws(() => memberId({ configured, log }), { instanceOf: StreamgaugeError });
    t.is(error.kind, 'config');
    t.regex(error.message, /^agent_id: /);
  };
  refused('');
  refused('ä'.repeat(129));
  refused('two\nlines');
  t.is(memberId({ configured: 'ä'.repeat(128), log }), 'ä'.repeat(128));
  const stateDirectory = directory();
  for (const content of ['', 'x'.repeat(257), 'x'.repeat(10_000)]) {
    fs.writeFileSync(path.join(stateDirectory, 'member-id'), content);
    t.throws(() => memberId({ stateDirectory, log }), { message: /member-id: .*remove the file/ });
  }
  fs.rmSync(stateDirectory, { recursive: true });
});
