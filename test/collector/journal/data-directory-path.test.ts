import path from 'node:path';
import test from 'ava';
import { dataDirectoryPath } from '../../../collector/journal/data-directory-path.ts';

const is = test.macro({
  exec(t, given: string | undefined, environment: Record<string, string>, expected: string) {
    t.is(dataDirectoryPath(given, environment, '/home/me'), expected);
  },
  title: (_, given: string | undefined, environment: Record<string, string>) =>
    `data_dir of ${given} and ${JSON.stringify(environment)}`,
});

const all = { STATE_DIRECTORY: '/var/lib/a:/var/lib/b', XDG_STATE_HOME: '/xdg' };
test(is, '/data', all, '/data');
test(is, 'data', all, path.resolve('data'));
test(is, '', all, '/var/lib/a');
test(is, undefined, all, '/var/lib/a');
test(is, undefined, { ...all, STATE_DIRECTORY: '' }, '/xdg/streamgauge');
test(is, undefined, { XDG_STATE_HOME: 'relative' }, '/home/me/.local/state/streamgauge');
test(is, undefined, {}, '/home/me/.local/state/streamgauge');
