/** One thing that is wrong with a configuration. */
export interface Problem {
  /** The file as the user named it, or `environment` or `command line`. */
  readonly file: string;
  /** From 1; 0 where the problem has no place in the file. */
  readonly line: number;
  readonly column: number;
  /** `meter_provider.readers[0].periodic.interval`; empty for the document as a whole. */
  readonly path: string;
  /** What was found and what is allowed. Never holds a secret. */
  readonly message: string;
}

/** `FILE:LINE:COLUMN: PATH: MESSAGE`, without the parts that are not known. */
export function problemLine(problem: Problem): string {
  const place = problem.line > 0 ? `:${problem.line}:${problem.column}` : '';
  const path = problem.path === '' ? '' : `${problem.path}: `;
  return `${problem.file}${place}: ${path}${problem.message}`;
}

/** A key path as people write it: `resource.attributes["my key"]`. */
export function pathText(path: readonly PropertyKey[]): string {
  let text = '';
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`;
    else if (/^[\w/-]+$/.test(String(key))) text += `${text === '' ? '' : '.'}${String(key)}`;
    else text += `[${JSON.stringify(String(key))}]`;
  }
  return text;
}
