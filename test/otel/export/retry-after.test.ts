import test from 'ava';
import { retryAfterMs } from '../../../otel/export/retry-after.ts';

const nowMs = Date.parse('2026-11-22T06:00:00Z');
const reads = test.macro({
  title: (_, header: string | undefined) => `Retry-After: ${header}`,
  exec(t, header: string | undefined, expected: number | undefined) {
    t.is(retryAfterMs(header, nowMs), expected);
  },
});
test(reads, '0', 0);
test(reads, ' 120 ', 120_000);
test(reads, 'Sun, 22 Nov 2026 06:00:30 GMT', 30_000);
test(reads, 'Sun, 22 Nov 2026 05:00:30 GMT', 0);
test(reads, 'Sunday, 22-Nov-26 06:00:30 GMT', 30_000);
test(reads, undefined, undefined);
test(reads, 'soon', undefined);
test(reads, '-5', undefined);
test(reads, '1.5', undefined);
