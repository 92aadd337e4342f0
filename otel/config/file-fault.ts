const faults: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
};

/** Why a file cannot be read, in words, which do not hold its path. */
export function fileFault(error: unknown): string {
  const { code = 'it cannot be opened' } = error as NodeJS.ErrnoException;
  return faults[code] ?? code;
}

/** The path of a file of tokens for a message: what may be a token that was put in the place of a path is not shown. */
export function shownTokenPath(path: string): string {
  return /^\.{0,2}\//.test(path)
    ? path
    : 'a file that is not shown, since it may be a token itself (give ./FILE or /DIRECTORY/FILE)';
}
