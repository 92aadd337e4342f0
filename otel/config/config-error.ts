import { StreamgaugeError } from '../../proto/error.ts';
import { type Problem, problemLine } from './problem.ts';

/** The set-up is wrong. The message holds one line for each problem; a command prints it and ends with exit code 1. */
export class ConfigError extends StreamgaugeError {
  override readonly name = 'ConfigError';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super('config', problems.map(problemLine).join('\n'));
    this.problems = problems;
  }

  /** One problem that has no place in a file's text. `source` is the file, `environment` or `command line`. */
  static of(source: string, message: string, path = ''): ConfigError {
    return new ConfigError([{ file: source, line: 0, column: 0, path, message }]);
  }
}
