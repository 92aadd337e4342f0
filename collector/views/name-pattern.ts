/** A name with `*` (any characters, or none) and `?` (any one character) as an expression over whole names. */
export function namePattern(pattern: string, options: { readonly ignoreCase: boolean }): RegExp {
  const source = pattern
    .replace(/[.+^${}()|[\]\\/]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, options.ignoreCase ? 'isu' : 'su');
}
