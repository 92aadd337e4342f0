import fs from 'node:fs';
import test from 'ava';
import { hostSources } from '../../../../agent/sources/host/host.ts';
import { hostDefaults } from '../../../../agent/sources/host/host-options.ts';
import { SamplingGroup } from '../../../../agent/state/sampling-group.ts';
import { keyOf, words } from './host-fixture.ts';

const quiet = { info() {}, warn() {} };

test('on another system there are no sources, and one sentence says so', (t) => {
  const said: string[] = [];
  const sources = hostSources({
    options: hostDefaults,
    groupFor: () => t.fail() as never,
    log: { info: (_fields, message) => said.push(message), warn: () => t.fail() },
    platform: 'darwin',
  });
  t.deepEqual(sources, []);
  t.is(said.length, 1);
  t.regex(said[0]!, /darwin/);
});

test('a source for each group that is enabled, in the sampling group of its interval', (t) => {
  const asked: number[] = [];
  const sources = hostSources({
    options: {
      ...hostDefaults,
      cpu: { enabled: true, intervalMs: 250 },
      paging: { enabled: false, intervalMs: 1000 },
    },
    groupFor: (intervalMs) => {
      asked.push(intervalMs);
      return new SamplingGroup(asked.length, intervalMs, 'incarnation');
    },
    log: quiet,
    platform: 'linux',
  });
  t.deepEqual(Object.fromEntries(sources.map(({ name }, i) => [name, asked[i]])), {
    'host.cpu': 250,
    'host.memory': 1000,
    'host.network': 1000,
    'host.disk': 1000,
    'host.load': 1000,
    'host.uptime': 1000,
    'host.filesystem': 1000,
    'host.connections': 10_000,
    'host.processes': 10_000,
  });
});

const onLinux = process.platform === 'linux' ? test : test.skip;

/** What this machine shows, read the plain way. All of these only grow, or stand still. */
function plainReading(): Record<string, number> {
  const values: Record<string, number> = {};
  const modes = ['user', 'nice', 'system', 'idle', 'iowait'];
  const stat = fs.readFileSync('/proc/stat', 'utf8').split('\n');
  for (const line of stat) {
    const [name, ...fields] = words(line);
    const cpu = /^cpu(\d+)$/.exec(name ?? '')?.[1];
    if (cpu !== undefined)
      for (const [i, mode] of modes.entries())
        values[`system.cpu.time ${cpu},${mode}`] = Number(fields[i]) / 100;
    if (name === 'processes') values['system.process.created'] = Number(fields[0]);
  }
  for (const line of fs.readFileSync('/proc/net/dev', 'utf8').split('\n').slice(2)) {
    const [name, rest] = line.trim().split(/:(.*)/);
    if (rest === undefined) continue;
    values[`system.network.io ${name},receive`] = Number(words(rest)[0]);
    values[`system.network.io ${name},transmit`] = Number(words(rest)[8]);
  }
  for (const line of fs.readFileSync('/proc/diskstats', 'utf8').split('\n')) {
    const [, , name, ...fields] = words(line);
    if (name === undefined || !fs.existsSync(`/sys/block/${name}`) || /^(z?ram|loop|fd)/.test(name)) continue;
    values[`system.disk.operations read,${name}`] = Number(fields[0]);
    values[`system.disk.io write,${name}`] = Number(fields[6]) * 512;
  }
  const vmstat = new Map(
    fs
      .readFileSync('/proc/vmstat', 'utf8')
      .split('\n')
      .map((line) => words(line) as [string, string]),
  );
  values['system.paging.faults major'] = Number(vmstat.get('pgmajfault'));
  values['system.uptime'] = Number(words(fs.readFileSync('/proc/uptime', 'utf8'))[0]);
  return values;
}

onLinux('the numbers of this machine lie between two plain readings', async (t) => {
  const group = new SamplingGroup(1, 1000, 'incarnation');
  const sources = hostSources({ options: hostDefaults, groupFor: () => group, log: quiet });
  // Twice: the second reading is that of the steady state.
  for (let i = 0; i < 2; i++) {
    const before = plainReading();
    for (const source of sources) {
      source.collect();
      await source.settled?.();
    }
    const after = plainReading();
    const values = new Map<string, number>();
    for (let cell = 0; cell < group.cells; cell++) {
      const series = group.seriesAt(cell)!;
      values.set(keyOf(series), group.values[cell]!);
    }
    for (const [key, low] of Object.entries(before)) {
      if (after[key] === undefined) continue;
      const value = values.get(key);
      // Idle and iowait step back a little.
      const slack = /idle|iowait/.test(key) ? 3 : 0;
      t.true(
        value !== undefined && value >= low - slack && value <= after[key] + slack,
        `${key}: ${low}, ${value}, ${after[key]}`,
      );
    }
    const processes = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length;
    let counted = 0;
    for (const [key, value] of values) {
      t.true(Number.isFinite(value), key);
      if (key.startsWith('system.process.count')) counted += value;
    }
    t.true(Math.abs(counted - processes) <= 50 && counted > 0, `${counted} of ${processes}`);
  }
});
