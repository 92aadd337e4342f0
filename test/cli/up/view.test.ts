import test from 'ava';
import fc from 'fast-check';
import { sparkline } from '../../../cli/up/sparkline.ts';
import type { UpStatus } from '../../../cli/up/status.ts';
import { StatusHistory } from '../../../cli/up/status-history.ts';
import { harmless, widthOf } from '../../../cli/up/terminal-text.ts';
import { uptimeText, viewLines } from '../../../cli/up/view.ts';

const first: UpStatus = {
  timeMs: 1000,
  uptimeMs: 0,
  addresses: { grpc: '127.0.0.1:4317', http: '127.0.0.1:4318', admin: '127.0.0.1:4319' },
  agents: 1,
  seriesIn: 950,
  seriesOut: 12_345,
  points: 1000,
  wireBytes: 5000,
  readers: [],
  host: [],
};

const second: UpStatus = {
  ...first,
  timeMs: 3000,
  uptimeMs: 125_000,
  points: 3000,
  wireBytes: 6000,
  readers: [
    { name: 'otlp', target: 'http://b:4318', state: 'ok', points: 4_000_000, droppedPoints: 0, error: '' },
    { name: 'x', target: 'y', state: 'failing', points: 0, droppedPoints: 7, error: 'connection refused' },
  ],
  host: [
    { label: 'cpu', kind: 'total', unit: '1', value: 11 },
    { label: 'memory', kind: 'level', unit: '1', value: 0.5 },
    { label: 'net in', kind: 'total', unit: 'By', value: 4096 },
  ],
};

test('the summary', (t) => {
  const history = new StatusHistory();
  history.push({
    ...first,
    host: second.host.map((metric) => ({ ...metric, value: metric.unit === 'By' ? 0 : 10 })),
  });
  const lines = viewLines(history.push(second), ['12:00:00 agent connected'], { columns: 60, rows: 50 });
  t.deepEqual(lines, [
    'streamgauge · up 2m05s · Ctrl-C ends',
    '',
    '  streams      grpc://127.0.0.1:4317',
    '  metrics      http://127.0.0.1:4318/metrics',
    '  status       http://127.0.0.1:4319/status',
    '',
    '  agents       1 connected',
    '  series       950 in, 12.3k out',
    '  points       1.0k/s         █',
    '  on the wire  0.50 bytes per point',
    '',
    '  export       otlp → http://b:4318 · ok · 4.0M points',
    '  export       x → y · failing: connection refused · 0 poin…',
    '',
    '  cpu          50.0%          ▅',
    '  memory       50.0%          █▅',
    '  net in       2.0 KiB/s      █',
    '',
    '  12:00:00 agent connected',
  ]);
});

test('before there are two snapshots nothing is claimed', (t) => {
  const text = viewLines(new StatusHistory().push(first), [], { columns: 80, rows: 24 }).join('\n');
  t.regex(text, /points {7}–/);
  t.regex(text, /on the wire {2}–/);
});

test('hostile strings neither reach the terminal nor break the frame, at any size', (t) => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.constantFrom(
      '\x1b[2J\x1b]0;owned\x07',
      'a\nb\r\nc',
      '\u202eabc',
      '\x9b31m',
      '日本語'.repeat(30),
      '👩‍👩‍👧',
      'e\u0301'.repeat(50),
    ),
  );
  const reader = fc.record({
    name: hostile,
    target: hostile,
    state: fc.constantFrom('ok', 'failing', 'waiting'),
    points: fc.double(),
    droppedPoints: fc.double(),
    error: hostile,
  });
  const metric = fc.record({
    label: hostile,
    kind: fc.constantFrom('level', 'total'),
    unit: fc.constantFrom('1', 'By', ''),
    value: fc.double(),
  });
  const property = fc.property(
    fc.array(reader, { maxLength: 12 }),
    fc.array(metric, { maxLength: 6 }),
    fc.array(hostile, { maxLength: 9 }),
    fc.integer({ min: 1, max: 120 }),
    fc.integer({ min: 1, max: 40 }),
    (readers, host, events, columns, rows) => {
      const history = new StatusHistory();
      history.push(first);
      const status = { ...second, readers, host, points: Number.NaN } as UpStatus;
      const lines = viewLines(history.push(status), events, { columns, rows });
      return (
        lines.length <= rows &&
        lines.every((line) => widthOf(line) <= columns && !/[\p{Cc}\p{Cf}]/u.test(line))
      );
    },
  );
  fc.assert(property, { numRuns: 150 });
  t.pass();
});

test('text is made harmless', (t) => {
  t.is(harmless('\x1b[31mred\x1b[0m\n\tand \x07bell \u202eturned'), 'red and bell turned');
});

test('sparklines', (t) => {
  t.is(sparkline([0, 1, 2, 3, 4, 5, 6, 7], 20, 8), '▁▂▃▄▅▆▇█');
  t.is(sparkline([1, 2, 3], 2), '▆█');
  t.is(sparkline([0, 0], 5), '▁▁');
  t.is(sparkline([Number.NaN, 1, Number.POSITIVE_INFINITY], 5), ' █ ');
  t.is(sparkline([1], 0), '');
  t.is(sparkline([-1, 9], 5, 1), '▁█');
});

test('uptimes', (t) => {
  t.deepEqual([0, 59_999, 60_000, 3_661_000].map(uptimeText), ['0s', '59s', '1m00s', '1h01m']);
});

test('a history is bounded', (t) => {
  const history = new StatusHistory();
  let view = history.push(first);
  for (let i = 1; i < 200; i++) view = history.push({ ...second, timeMs: 1000 + i * 1000, points: i * 10 });
  t.is(view.pointsTrend.length, 60);
  t.is(view.host[0]!.trend.length, 60);
  t.is(view.pointsPerSecond, 10);
});
