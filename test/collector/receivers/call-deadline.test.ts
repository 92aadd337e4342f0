import test from 'ava';
import { timeoutMs } from '../../../collector/receivers/call-deadline.ts';

test('grpc-timeout in each unit', (t) => {
  const given: [string, number][] = [
    ['1H', 3_600_000],
    ['2M', 120_000],
    ['3S', 3000],
    ['00000400m', 400],
    ['1500u', 2],
    ['1n', 1],
    ['0S', 0],
  ];
  for (const [header, ms] of given) t.is(timeoutMs(header), ms, header);
  t.is(timeoutMs(undefined), Number.POSITIVE_INFINITY);
});

test('as long as a timer can wait, and no longer', (t) => {
  t.is(timeoutMs('596H'), 596 * 3_600_000);
  t.is(timeoutMs('99999999H'), 2 ** 31 - 1);
});

test('what is no timeout', (t) => {
  for (const header of ['', '1', 'S', '1s', '-1S', '1.5S', '123456789S', '1S ', '1SS', 'x1S'])
    t.is(timeoutMs(header), undefined, header);
});
