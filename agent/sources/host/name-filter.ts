import type { NameFilterOptions } from './host-options.ts';

/** Whether a name passes: see {@link NameFilterOptions}. */
export type NameFilter = (name: string) => boolean;

export function nameFilter(options: NameFilterOptions): NameFilter {
  const include = options.include.map(wildcard);
  const exclude = options.exclude.map(wildcard);
  return (name) =>
    (include.length === 0 || include.some((pattern) => pattern.test(name))) &&
    !exclude.some((pattern) => pattern.test(name));
}

function wildcard(pattern: string): RegExp {
  // Runs of stars become one, so that no pattern makes the matcher backtrack without bound.
  const source = pattern
    .replace(/\*+/g, '*')
    .replace(/[\\^$.|+()[\]{}]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 'su');
}
