import test from 'ava';
import { parseCollectorConfig } from '../../../collector/config/load.ts';
import { ConfigError } from '../../../otel/config/config-error.ts';
import type { PeriodicReaderConfig } from '../../../otel/config/metric-readers.ts';
import type { QueueLimits } from '../../../otel/export/queue-limits.ts';

type Temporality = 'cumulative' | 'delta';

function queue(text: string, temporality: Temporality): QueueLimits | undefined {
  const exporter = `{console: {temporality_preference: ${temporality}}}`;
  const file = `meter_provider: {readers: [{periodic: {exporter: ${exporter}, streamgauge: {${text}}}}]}`;
  return (parseCollectorConfig(file, 'c.yaml', {}).readers[0] as PeriodicReaderConfig).queue;
}

const day = 86_400_000;

const isTaken = test.macro({
  exec(t, text: string, temporality: Temporality, expected: QueueLimits | undefined) {
    t.deepEqual(queue(text, temporality), expected);
  },
  title: (_, text, temporality) => `${temporality}, taken: ${text}`,
});

test(isTaken, '', 'delta', undefined);
test(isTaken, 'queue: ', 'delta', { maxBytes: 64 * 2 ** 20, maxAgeMs: day, whenFull: 'coalesce' });
test(isTaken, 'queue: ', 'cumulative', { maxBytes: 0, maxAgeMs: day, whenFull: 'coalesce' });
test(isTaken, 'queue: {max_bytes: 0, max_age: 90m}', 'delta', {
  maxBytes: 0,
  maxAgeMs: 5_400_000,
  whenFull: 'coalesce',
});
test(isTaken, 'queue: {max_bytes: 1GiB, max_age: 7d, when_full: drop_oldest}', 'cumulative', {
  maxBytes: 2 ** 30,
  maxAgeMs: 7 * day,
  whenFull: 'drop_oldest',
});
test(isTaken, 'queue: {max_bytes: null, when_full: coalesce}', 'delta', {
  maxBytes: 64 * 2 ** 20,
  maxAgeMs: day,
  whenFull: 'coalesce',
});

const isRefused = test.macro({
  exec(t, text: string, temporality: Temporality, expected: string) {
    const error = t.throws(() => queue(text, temporality), { instanceOf: ConfigError });
    t.is(error.message.replace(/^c\.yaml:1:\d+: meter_provider\.readers\[0\]\.periodic\./, ''), expected);
  },
  title: (_, text, temporality) => `${temporality}, refused: ${text}`,
});

test(
  isRefused,
  'queue: {when_full: drop_oldest}',
  'delta',
  'streamgauge.queue.when_full: found "drop_oldest"; allowed for delta: coalesce, because then no increment is lost while there is no room',
);
test(
  isRefused,
  'queue: {when_full: block}',
  'cumulative',
  'streamgauge.queue.when_full: found "block"; allowed: coalesce or drop_oldest',
);
test(
  isRefused,
  'queue: {max_bytes: 65GiB}',
  'delta',
  'streamgauge.queue.max_bytes: found "65GiB"; allowed: a size from 0 bytes to 64GiB: bytes, or text like 512KiB, 4MiB',
);
test(
  isRefused,
  'queue: {max_age: 100ms}',
  'delta',
  'streamgauge.queue.max_age: found "100ms"; allowed: a duration from 1s to 24d: milliseconds, or text like 500ms, 10s, 5m, 1h',
);
test(
  isRefused,
  'queue: {size: 3}',
  'delta',
  'streamgauge.queue.size: unknown key; allowed: max_bytes, max_age, when_full',
);
