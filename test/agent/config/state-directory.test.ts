import path from 'node:path';
import test from 'ava';
import { stateDirectoryPath } from '../../../agent/config/state-directory.ts';

const is = test.macro({
  exec(t, given: string | undefined, environment: Record<string, string>, expected: string) {
    t.is(stateDirectoryPath(given, environment, '/home/me'), expected);
  },
  title: (_, given: string | undefined, environment: Record<string, string>) =>
    `state_dir of ${given} and ${JSON.stringify(environment)}`,
});

const all = { STATE_DIRECTORY: '/var/lib/a:/var/lib/b', XDG_STATE_HOME: '/xdg' };
test(is, '/state', all, '/state');
test(is, 'state', all, path.resolve('state'));
test(is, '', all, '/var/lib/a');
test(is, undefined, all, '/var/lib/a');
test(is, undefined, { ...all, STATE_DIRECTORY: '' }, '/xdg/streamgauge-agent');
test(is, undefined, { XDG_STATE_HOME: 'relative' }, '/home/me/.local/state/streamgauge-agent');
test(is, undefined, {}, '/home/me/.local/state/streamgauge-agent');
