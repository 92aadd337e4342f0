/** A name with `*` (any characters, or none) and `?` (any one character) as an expression over whole names. Case is ignored, as OTel's instrument names ask. */
export function namePattern(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|[\]\\/]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 'isu');
}
