import test from 'ava';
import {
  type AuthConfig,
  authDefaults,
  type GrantConfig,
  type Permission,
} from '../../../collector/config/auth-config.ts';
import { Access, type Presented } from '../../../collector/security/access.ts';
import { attributes } from '../../../otel/model/attributes.ts';
import { recordedLog } from '../../agent/recorded-log.ts';
import { TestFiles } from '../../certificates/certificate-files.ts';
import { until } from '../../interop/until.ts';

const tokenA = 'token-of-team-a-0123456789';
const tokenB = 'token-of-team-b-0123456789';
const all: readonly Permission[] = ['stream', 'otlp', 'read', 'admin'];

function grant(more: Partial<GrantConfig> = {}): GrantConfig {
  return { permissions: all, agents: ['*'], forced: [], forbidden: [], ...more };
}

function certificate(names: { dns?: string[]; uris?: string[] }): Presented['certificate'] {
  return { names: { dns: [], uris: [], ...names }, validToMs: Number.POSITIVE_INFINITY };
}

function accessTo(auth: Partial<AuthConfig>, log = recordedLog()) {
  const access = new Access({ ...authDefaults, ...auth }, log);
  const ask = (presented: Partial<Presented>, permission: Permission = 'stream') => {
    const admission = access.admit(
      { certificate: undefined, authorization: undefined, ...presented },
      permission,
    );
    return 'denial' in admission ? admission.denial.cause : (admission.grant ?? 'everything');
  };
  return { access, ask, log };
}
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

test('without clients and tokens everybody may do everything, and a token is not looked at', (t) => {
  const { access, ask } = accessTo({});
  t.true(access.isOpen);
  for (const permission of all) t.is(ask(bearer(tokenA), permission), 'everything');
});

test('tokens: each permits what its entry says, and nothing comes in without but what is named', (t) => {
  const files = new TestFiles(t);
  const tokens = [
    {
      name: 'a',
      tokenFile: files.write('a', `# team a\n\n${tokenA}\n`),
      ...grant({ permissions: ['stream'] }),
    },
    { name: 'b', tokenFile: files.write('b', tokenB), ...grant({ permissions: ['read', 'admin'] }) },
  ];
  const { ask } = accessTo({ tokens, withoutToken: ['otlp'] });
  t.like(ask(bearer(tokenA)), { who: 'token a' });
  t.like(ask({ authorization: `bEARER  ${tokenA} ` }), { who: 'token a' });
  t.is(ask(bearer(tokenA), 'read'), 'permission');
  t.like(ask(bearer(tokenB), 'admin'), { who: 'token b' });
  t.is(ask(bearer(tokenB)), 'permission');
  t.is(ask({}), 'token_missing');
  t.is(ask({}, 'otlp'), 'everything');
  // What is presented is looked at all the same.
  t.is(ask(bearer(`${tokenA}x`), 'otlp'), 'token_invalid');
  for (const authorization of [
    '',
    'Bearer',
    'Bearer ',
    `Basic ${tokenA}`,
    tokenA,
    `Bearer ${tokenA} ${tokenA}`,
    `Bearer ${tokenA.toUpperCase()}`,
    `Bearer ${'x'.repeat(1_000_000)}`,
    'Bearer # team a',
  ])
    t.is(ask({ authorization }), 'token_invalid', authorization.slice(0, 50));
});

test('a list of tokens without entries lets nobody in', (t) => {
  const { ask } = accessTo({ tokens: [] });
  for (const permission of all) t.is(ask(bearer(tokenA), permission), 'token_invalid');
});

test('tokens are replaced one after the other, and what is broken changes nothing', async (t) => {
  const files = new TestFiles(t);
  const tokenFile = files.write('a', tokenA);
  const log = recordedLog();
  const { access, ask } = accessTo(
    { tokens: [{ name: 'a', tokenFile, ...grant() }], reloadIntervalMs: 10 },
    log,
  );
  access.start();
  t.teardown(() => access.stop());
  const isIn = (token: string) => typeof ask(bearer(token)) === 'object';
  t.deepEqual([isIn(tokenA), isIn(tokenB)], [true, false]);
  files.write('a', `${tokenA}\n${tokenB}\n`);
  await until(() => isIn(tokenB), 'the second token');
  t.true(isIn(tokenA));
  files.write('a', `${tokenB}\n`);
  await until(() => !isIn(tokenA), 'the end of the first');
  t.true(isIn(tokenB));
  for (const broken of ['', 'short', `${tokenA} two`, `${tokenA}\u0000`]) {
    const before = log.lines.length;
    files.write('a', broken);
    await until(() => log.lines.length > before, `the error about ${JSON.stringify(broken)}`);
    t.is(log.lines.at(-1)!.level, 'error');
    t.regex(String(log.lines.at(-1)!.fields.problem), /: auth\.tokens\[0\]\.token_file: holds /);
    t.true(isIn(tokenB));
  }
  t.notRegex(JSON.stringify(log.lines), /team-[ab]/);
});

test('a token stands for one entry, and none is short', (t) => {
  const files = new TestFiles(t);
  const entry = (name: string, text: string) => ({ name, tokenFile: files.write(name, text), ...grant() });
  const problem = (...tokens: ReturnType<typeof entry>[]) =>
    t.throws(() => accessTo({ tokens }), { name: 'ConfigError' })!.message;
  t.regex(
    problem(entry('a', tokenA), entry('b', `${tokenB}\n${tokenA}`)),
    /b: auth\.tokens\[1\]\.token_file: holds a token that .*a has, too/,
  );
  t.regex(problem(entry('c', 'secret')), /holds in line 1 a token of 6 characters; at least 16 are needed/);
  t.regex(
    problem({ ...entry('d', ''), tokenFile: files.path('none') }),
    /cannot be read: there is no such file/,
  );
  t.notRegex(problem(entry('a', tokenA), entry('e', 'a secret that is none\n')), /secret/);
});

test('clients: the first entry for one of the names holds; URIs and DNS names are not mistaken for each other', (t) => {
  const clients = [
    { name: 'spiffe://x/admin', ...grant({ agents: ['admin'] }) },
    { name: 'spiffe://x/*/*', ...grant({ agents: ['{2}.{1}'] }) },
    { name: 'Reader.example', ...grant({ permissions: ['read'], agents: [] }) },
  ];
  const { ask } = accessTo({ clients });
  const names = (...uris: string[]) => ({ certificate: certificate({ uris }) });
  const member = (id: string, ...uris: string[]) => {
    const found = ask(names(...uris));
    return typeof found === 'object' && found.permitsMember(id);
  };
  t.true(member('admin', 'spiffe://x/admin'));
  t.false(member('b', 'spiffe://x/admin'));
  t.true(member('h.a', 'urn:other', 'spiffe://x/a/h'));
  t.false(member('hxa', 'spiffe://x/a/h'));
  t.false(member('anything', 'spiffe://x/a/*'));
  t.is(ask(names('spiffe://X/admin')), 'certificate_unknown');
  t.is(ask(names()), 'certificate_unknown');
  t.is(ask({ certificate: certificate({ dns: ['spiffe://x/admin'] }) }), 'certificate_unknown');
  t.is(ask({ certificate: certificate({ uris: ['reader.example'] }) }), 'certificate_unknown');
  const reader = { certificate: certificate({ dns: ['READER.example'] }) };
  t.like(ask(reader, 'read'), { who: 'client READER.example' });
  t.is(ask(reader), 'permission');
  // A port that asks for none knows nobody by name.
  t.is(ask({}), 'everything');
});

test('with both, both have to permit it, and what both force is forced', (t) => {
  const files = new TestFiles(t);
  const clients = [
    {
      name: 'a.example',
      ...grant({ agents: ['a-*'], permissions: ['stream', 'read'], forced: attributes({ region: 'eu' }) }),
    },
  ];
  const tokens = [
    {
      name: 't',
      tokenFile: files.write('t', tokenA),
      ...grant({
        agents: ['*-1'],
        permissions: ['stream', 'admin'],
        forced: attributes({ tenant: 'a' }),
        forbidden: ['k8s.*'],
      }),
    },
    { name: 'u', tokenFile: files.write('u', tokenB), ...grant({ forced: attributes({ region: 'us' }) }) },
  ];
  const { ask } = accessTo({ clients, tokens });
  const a = certificate({ dns: ['a.example'] });
  t.is(ask({ certificate: a }), 'token_missing');
  t.is(ask({ certificate: certificate({ dns: ['b.example'] }), ...bearer(tokenA) }), 'certificate_unknown');
  t.is(ask({ certificate: a, ...bearer(tokenA) }, 'read'), 'permission');
  t.is(ask({ certificate: a, ...bearer(tokenA) }, 'admin'), 'permission');
  const both = ask({ certificate: a, ...bearer(tokenA) });
  if (typeof both !== 'object') throw t.fail(both);
  t.deepEqual(['a-1', 'a-2', 'b-1'].map(both.permitsMember), [true, false, false]);
  t.deepEqual(both.forced, attributes({ region: 'eu', tenant: 'a' }));
  t.is(both.resourceProblem(attributes({ tenant: 'a', other: 1 })), undefined);
  t.regex(both.resourceProblem(attributes({ tenant: 'b' }))!, /"tenant" may be "a" only .*it is "b"/);
  t.regex(both.resourceProblem(attributes({ region: 'us' }))!, /"region"/);
  t.regex(both.resourceProblem(attributes({ 'k8s.pod.name': 'x' }))!, /"k8s\.pod\.name" may not be set/);
  const contradicting = ask({ certificate: a, ...bearer(tokenB) });
  if (typeof contradicting !== 'object') throw t.fail(contradicting);
  t.regex(contradicting.resourceProblem([])!, /"region"/);
});
