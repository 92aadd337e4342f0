const secretKey = /^headers(_list)?$|token|secret|passw|credential|api_?key|authorization|private|bearer/i;
const maxTextLength = 80;

/** Whether what stands at a key path, or in an environment variable of this name, must not be shown. */
export function isSecret(path: readonly PropertyKey[]): boolean {
  // A header's name is no secret and helps to find the line; nor is what is said of the entries of a list of tokens.
  if (path.at(-1) === 'name') return false;
  return path.some((key, at) => secretKey.test(String(key)) && !(key === 'tokens' && at + 2 < path.length));
}

/** A value found in a configuration as text for a message: on one line, short, without control characters and credentials. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (typeof value === 'object') return 'a mapping';
  if (typeof value === 'string') return quoted(value);
  return String(value);
}

/** A string in double quotes, shortened; what a URL holds before @ and behind ? and what PEM holds is hidden, characters that a terminal might obey are escaped. */
export function quoted(text: string): string {
  const safe = text
    .replace(/\/\/[^/@\s]*@/g, '//…@')
    .replace(/(\/\/[^\s?]*\?)\S+/g, '$1…')
    .replace(/(-----BEGIN )[\s\S]*/, '$1…');
  const short = safe.length > maxTextLength ? `${safe.slice(0, maxTextLength)}…` : safe;
  return JSON.stringify(short).replace(
    /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
