import test from 'ava';
import fc from 'fast-check';
import { namePattern } from '../../../otel/config/name-pattern.ts';

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

test('what each * stands for, in the case it came in', (t) => {
  const captures = (pattern: string, name: string) =>
    namePattern(pattern, { ignoreCase: true }).captures(name);
  t.deepEqual(captures('http.*', 'HTTP.Route.x'), ['Route.x']);
  t.deepEqual(captures('*.http.*.time', 'a.http.b.http.time'), ['a', 'b.http']);
  t.deepEqual(captures('a*', 'a'), ['']);
  t.deepEqual(captures('a', 'A'), []);
  t.is(captures('a*b', 'ab.c'), undefined);
  t.is(captures('ab*ba', 'aba'), undefined);
});

test('a pattern agrees with the regular expression of the same meaning', (t) => {
  const letters = fc
    .array(fc.constantFrom('a', 'b', '*', '?'), { maxLength: 8 })
    .map((list) => list.join(''));
  const name = fc.array(fc.constantFrom('a', 'b'), { maxLength: 10 }).map((list) => list.join(''));
  t.notThrows(() =>
    fc.assert(
      fc.property(letters, name, (pattern, tried) => {
        const oracle = new RegExp(`^${pattern.replaceAll('*', '(.*)').replaceAll('?', '.')}$`);
        const captured = namePattern(pattern, { ignoreCase: false }).captures(tried);
        if ((captured !== undefined) !== oracle.test(tried)) throw new Error(`${pattern} for ${tried}`);
        if (captured === undefined) return;
        const parts = captured.values();
        const filled = pattern.replaceAll('*', () => parts.next().value!).replaceAll('?', '.');
        if (!new RegExp(`^${filled}$`).test(tried)) throw new Error(`${captured} for ${pattern}, ${tried}`);
      }),
      { numRuns: 500 },
    ),
  );
});

test('a hostile name takes no longer than any other', (t) => {
  const pattern = namePattern(`${'*a'.repeat(12)}*b`, { ignoreCase: true });
  const startedMs = performance.now();
  for (let i = 0; i < 100; i++) t.false(pattern.test('a'.repeat(255)));
  t.true(performance.now() - startedMs < 2000);
});
