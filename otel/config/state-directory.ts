import os from 'node:os';
import path from 'node:path';

/**
 * Where a program keeps its state: the directory that was given, else the first of systemd's $STATE_DIRECTORY (it separates several by
 * colons), else $XDG_STATE_HOME/NAME, else ~/.local/state/NAME. As the XDG specification has it, a relative $XDG_STATE_HOME does not count.
 *
 * @param name of the program's own folder: the collector's and the agent's are apart
 * @returns an absolute path
 */
export function stateDirectoryPath(
  name: 'streamgauge' | 'streamgauge-agent',
  given: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
  home: string = os.homedir(),
): string {
  if (given !== undefined && given !== '') return path.resolve(given);
  const state = environment.STATE_DIRECTORY?.split(':', 1)[0];
  if (state !== undefined && state !== '') return path.resolve(state);
  const xdg = environment.XDG_STATE_HOME;
  if (xdg !== undefined && path.isAbsolute(xdg)) return path.join(xdg, name);
  return path.join(home, '.local', 'state', name);
}
