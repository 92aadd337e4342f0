import test from 'ava';
import { RecentWindow } from '../../../collector/telemetry/recent-window.ts';

test('shows the last whole window, whoever reads and how often', (t) => {
  let now = 100;
  let gathered = 1;
  const window = new RecentWindow(
    () => {
      const value = gathered;
      gathered = 0;
      return value;
    },
    10,
    () => now,
  );
  t.is(window.read(), 1);
  gathered = 5;
  now = 109;
  t.is(window.read(), 1);
  now = 110;
  t.is(window.read(), 5);
  t.is(window.read(), 5);
  now = 119;
  gathered = 7;
  t.is(window.read(), 5);
  now = 1000;
  t.is(window.read(), 7);
  now = 1010;
  t.is(window.read(), 0);
});
