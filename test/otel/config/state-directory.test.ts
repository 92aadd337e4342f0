import path from 'node:path';
import test from 'ava';
import { stateDirectoryPath } from '../../../otel/config/state-directory.ts';

for (const name of ['streamgauge', 'streamgauge-agent'] as const) {
  const is = test.macro({
    exec(t, given: string | undefined, environment: Record<string, string>, expected: string) {
      t.is(stateDirectoryPath(name, given, environment, '/home/me'), expected);
    },
    title: (_, given: string | undefined, environment: Record<string, string>) =>
      `${name}: ${given} and ${JSON.stringify(environment)}`,
  });

  const all = { STATE_DIRECTORY: '/var/lib/a:/var/lib/b', XDG_STATE_HOME: '/xdg' };
  test(is, '/state', all, '/state');
  test(is, 'state', all, path.resolve('state'));
  test(is, '', all, '/var/lib/a');
  test(is, undefined, all, '/var/lib/a');
  test(is, undefined, { ...all, STATE_DIRECTORY: '' }, `/xdg/${name}`);
  test(is, undefined, { XDG_STATE_HOME: 'relative' }, `/home/me/.local/state/${name}`);
  test(is, undefined, {}, `/home/me/.local/state/${name}`);
}
