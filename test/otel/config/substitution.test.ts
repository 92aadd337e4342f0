import test from 'ava';
import { readYaml } from '../../../otel/config/yaml-document.ts';

// The table of OpenTelemetry's configuration data model, "Environment variable substitution".

const environment = {
  STRING_VALUE: 'value',
  BOOL_VALUE: 'true',
  INT_VALUE: '1',
  FLOAT_VALUE: '1.1',
  HEX_VALUE: '0xdeadbeef',
  INVALID_MAP_VALUE: 'value\nkey:value',
  DO_NOT_REPLACE_ME: 'Never use this value',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax under test.
  REPLACE_ME: '${DO_NOT_REPLACE_ME}',
  VALUE_WITH_ESCAPE: 'value$$',
  EMPTY_VALUE: '',
};

const becomes = test.macro({
  exec(t, input: string, expected: unknown) {
    const document = readYaml(input, 'table.yaml', environment);
    t.deepEqual(document.problems, []);
    t.deepEqual(document.value, expected);
  },
  title: (_, input) => `substitution: ${input}`,
});

/* biome-ignore-start lint/suspicious/noTemplateCurlyInString: the syntax under test. */
test(becomes, 'key: ${STRING_VALUE}', { key: 'value' });
test(becomes, 'key: ${BOOL_VALUE}', { key: true });
test(becomes, 'key: ${INT_VALUE}', { key: 1 });
test(becomes, 'key: ${FLOAT_VALUE}', { key: 1.1 });
test(becomes, 'key: ${HEX_VALUE}', { key: 3735928559 });
test(becomes, 'key: "${STRING_VALUE}"', { key: 'value' });
test(becomes, 'key: "${BOOL_VALUE}"', { key: 'true' });
test(becomes, 'key: "${INT_VALUE}"', { key: '1' });
test(becomes, 'key: "${FLOAT_VALUE}"', { key: '1.1' });
test(becomes, 'key: "${HEX_VALUE}"', { key: '0xdeadbeef' });
test(becomes, 'key: ${env:STRING_VALUE}', { key: 'value' });
test(becomes, 'key: ${INVALID_MAP_VALUE}', { key: 'value\nkey:value' });
test(becomes, 'key: foo ${STRING_VALUE} ${FLOAT_VALUE}', { key: 'foo value 1.1' });
test(becomes, 'key: ${UNDEFINED_KEY}', { key: null });
test(becomes, 'key: ${UNDEFINED_KEY:-fallback}', { key: 'fallback' });
test(becomes, '${STRING_VALUE}: value', { '${STRING_VALUE}': 'value' });
test(becomes, 'key: ${REPLACE_ME}', { key: '${DO_NOT_REPLACE_ME}' });
test(becomes, 'key: ${UNDEFINED_KEY:-${STRING_VALUE}}', { key: '${STRING_VALUE}' });
test(becomes, 'key: $${STRING_VALUE}', { key: '${STRING_VALUE}' });
test(becomes, 'key: $$${STRING_VALUE}', { key: '$value' });
test(becomes, 'key: $$$${STRING_VALUE}', { key: '$${STRING_VALUE}' });
test(becomes, 'key: $${STRING_VALUE:-fallback}', { key: '${STRING_VALUE:-fallback}' });
test(becomes, 'key: $${STRING_VALUE:-${STRING_VALUE}}', { key: '${STRING_VALUE:-value}' });
test(becomes, 'key: ${UNDEFINED_KEY:-$${UNDEFINED_KEY}}', { key: '${UNDEFINED_KEY:-${UNDEFINED_KEY}}' });
test(becomes, 'key: ${VALUE_WITH_ESCAPE}', { key: 'value$$' });
test(becomes, 'key: a $$ b', { key: 'a $ b' });
test(becomes, 'key: a $ b', { key: 'a $ b' });
// Not in the table, but in its text.
test(becomes, 'key: ${EMPTY_VALUE:-1}', { key: 1 });
test(becomes, 'key: ${EMPTY_VALUE}', { key: null });
test(becomes, 'key: ${env:UNDEFINED_KEY:-true}', { key: true });
test(becomes, 'key: |\n  ${INT_VALUE}\n', { key: '1\n' });
test(becomes, 'key: !!str ${INT_VALUE}', { key: '1' });
test(becomes, "key: '${STRING_VALUE}$$'", { key: 'value$' });
test(becomes, 'key:\n  - ${INT_VALUE}\n  - a: ${BOOL_VALUE}\n', { key: [1, { a: true }] });
test(becomes, 'a: &x ${INT_VALUE}\nb: *x', { a: 1, b: 1 });

const isRefused = test.macro({
  exec(t, reference: string) {
    const { problems } = readYaml(`other: 1\nkey: ${reference}\n`, 'table.yaml', environment);
    t.deepEqual(problems, [
      {
        file: 'table.yaml',
        line: 2,
        column: 6,
        path: 'key',
        message: `found "${reference}", no valid reference; allowed: \${NAME}, \${env:NAME}, \${NAME:-default}, and $$ for a dollar sign`,
      },
    ]);
  },
  title: (_, reference) => `no valid reference: ${reference}`,
});

test(isRefused, '${STRING_VALUE:?error}');
test(isRefused, '${1API_KEY}');
test(isRefused, '${API_$KEY}');
test(isRefused, '${sys:os.name}');
/* biome-ignore-end lint/suspicious/noTemplateCurlyInString: the syntax under test. */
