import os from 'node:os';
import path from 'node:path';

/**
 * Where the collector keeps its state: the `--data-dir` that was given, else the first of systemd's $STATE_DIRECTORY (it separates several by
 * colons), else $XDG_STATE_HOME/streamgauge, else ~/.local/state/streamgauge. As the XDG specification has it, a relative $XDG_STATE_HOME does
 * not count.
 *
 * @returns an absolute path
 */
export function dataDirectoryPath(
  given: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
  home: string = os.homedir(),
): string {
  if (given !== undefined && given !== '') return path.resolve(given);
  const state = environment.STATE_DIRECTORY?.split(':', 1)[0];
  if (state !== undefined && state !== '') return path.resolve(state);
  const xdg = environment.XDG_STATE_HOME;
  if (xdg !== undefined && path.isAbsolute(xdg)) return path.join(xdg, 'streamgauge');
  return path.join(home, '.local', 'state', 'streamgauge');
}
