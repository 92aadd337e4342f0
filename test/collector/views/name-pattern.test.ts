import test from 'ava';
import { namePattern } from '../../../collector/views/name-pattern.ts';

const matches = test.macro<[string, string, boolean, boolean?]>({
  exec(t, pattern, name, expected, ignoreCase = true) {
    t.is(namePattern(pattern, { ignoreCase }).test(name), expected);
  },
  title: (_, pattern, name, expected, ignoreCase = true) =>
    `${pattern} ${expected ? 'matches' : 'does not match'} ${name}${ignoreCase ? '' : ' with case'}`,
});

test(matches, 'system.cpu.time', 'system.cpu.time', true);
test(matches, 'system.cpu.time', 'systemXcpuXtime', false);
test(matches, 'system.*', 'system.cpu.time', true);
test(matches, 'system.*', 'system.', true);
test(matches, 'system.*', 'my.system.cpu', false);
test(matches, '*', '', true);
test(matches, '*.time', 'system.cpu.time', true);
test(matches, '*.time', 'system.cpu.times', false);
test(matches, 'disk?', 'disk1', true);
test(matches, 'disk?', 'disk', false);
test(matches, 'disk?', 'disk😀', true);
test(matches, 'a+b(c)[d]{e}^$|\\/', 'a+b(c)[d]{e}^$|\\/', true);
test(matches, 'a+b', 'aab', false);
test(matches, 'a*b', 'a\nb', true);
test(matches, 'System.CPU', 'system.cpu', true);
test(matches, 'System.CPU', 'system.cpu', false, false);
test(matches, 'host-*', 'host-1', true);
