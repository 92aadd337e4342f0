import test from 'ava';
import { problemLine } from '../../../otel/config/problem.ts';
import { readYaml } from '../../../otel/config/yaml-document.ts';

const problemsOf = test.macro({
  exec(t, text: string, ...expected: string[]) {
    t.deepEqual(readYaml(text, 'f.yaml', {}).problems.map(problemLine), expected);
  },
  title: (name, text) => name ?? `problems: ${text}`,
});

test(problemsOf, 'a: 1\nb: {c: 2}\n');
test(problemsOf, '');
test(
  problemsOf,
  'a: 1\nb:\n  c: 1\n  c: 2\na: 3\n',
  'f.yaml:4:3: b.c: given twice, first at line 3; allowed: each key once',
  'f.yaml:5:1: a: given twice, first at line 1; allowed: each key once',
);
test(
  problemsOf,
  'a: !!binary aGk=\n',
  'f.yaml:1:4: not valid YAML: Unresolved tag: tag:yaml.org,2002:binary',
);
test(
  problemsOf,
  'a: !!js/function x\n',
  'f.yaml:1:4: not valid YAML: Unresolved tag: tag:yaml.org,2002:js/function',
);
test(problemsOf, 'a: *nothing\n', 'f.yaml:1:4: a: found "*nothing"; allowed: an anchor given above');
test(problemsOf, 'a: 1\n---\nb: 1\n', 'f.yaml:2:1: more than one document; allowed: one');
test(problemsOf, '%YAML 1.1\n---\na: yes\n', 'f.yaml:1:1: found %YAML 1.1; allowed: YAML 1.2');
test(problemsOf, '{[a]: 1}\n', 'f.yaml:1:2: found a key that is not text; allowed: plain keys');
test(problemsOf, '__proto__: {a: 1}\n', 'f.yaml:1:1: found a key that is not text; allowed: plain keys');

test('what a faulty text holds is not repeated', (t) => {
  const lines = readYaml('a: {b: 1}} hunter2\n"c\n', 'f.yaml', {}).problems.map(problemLine).join('\n');
  t.regex(lines, /^f\.yaml:1:10: not valid YAML: Unexpected/);
  t.notRegex(lines, /hunter2/);
});

test('aliases that multiply are cut off', (t) => {
  let text = 'a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n';
  for (let i = 1; i < 12; i++) text += `a${i}: &a${i} [${`*a${i - 1}, `.repeat(10)}]\n`;
  const lines = readYaml(text, 'f.yaml', {}).problems.map((problem) => problem.message);
  t.deepEqual(lines, ['too large; allowed: 50000 values, 64 levels, aliases expanded']);
});

test('an alias to what it stands in is cut off', (t) => {
  const { problems } = readYaml('a: &a [*a]\n', 'f.yaml', {});
  t.is(problems.length, 1);
  t.regex(problems[0]!.message, /^too large/);
});

test('a text that is nested very deeply is refused', (t) => {
  const { isYaml, problems } = readYaml('['.repeat(100_000), 'f.yaml', {});
  t.false(isYaml);
  t.true(problems.some(({ message }) => message === 'nested too deeply; allowed: 64 levels'));
});

test('the place of a value is its own, else that of the nearest one above', (t) => {
  const document = readYaml('a:\n  - b: 1\n    c: [x, y]\n', 'f.yaml', {});
  t.like(document.placeOf(['a', 0, 'b']), { keyLine: 2, keyColumn: 5, line: 2, column: 8 });
  t.like(document.placeOf(['a', 0, 'c', 1]), { line: 3, column: 12 });
  t.like(document.placeOf(['a', 0, 'missing', 'deep']), { line: 2, column: 5 });
});
