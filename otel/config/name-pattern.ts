/** A name with `*` (any characters, or none) and `?` (any one character). */
export interface NamePattern {
  /** Whether the whole name matches. */
  test(name: string): boolean;
  /** What each `*` stands for, in order, as few characters as possible for each but the last; `undefined` where the name does not match. */
  captures(name: string): string[] | undefined;
}

/**
 * A pattern, read once. Matching takes at most the product of both lengths: names come from outside, and no name must hold anybody
 * up, which a regular expression with several `*` cannot promise.
 */
export function namePattern(pattern: string, options: { readonly ignoreCase: boolean }): NamePattern {
  const { ignoreCase } = options;
  const segments = pattern.split('*').map((segment) => characters(segment, ignoreCase));
  const first = segments[0]!;
  const rest = segments.slice(1);
  const last = rest.at(-1);
  const match = (name: string): string[] | undefined => {
    const text = characters(name, ignoreCase);
    if (!isAt(first, text, 0)) return undefined;
    if (last === undefined) return text.length === first.length ? [] : undefined;
    const own = [...name];
    const captured: string[] = [];
    let from = first.length;
    for (const segment of rest) {
      const at = segment === last ? text.length - last.length : find(segment, text, from);
      if (at < from || !isAt(segment, text, at)) return undefined;
      captured.push(own.slice(from, at).join(''));
      from = at + segment.length;
    }
    return captured;
  };
  return { test: (name) => match(name) !== undefined, captures: match };
}

/** Whole characters, not halves of them. */
function characters(text: string, ignoreCase: boolean): string[] {
  return ignoreCase ? [...text].map((one) => one.toLowerCase()) : [...text];
}

function isAt(segment: readonly string[], text: readonly string[], at: number): boolean {
  if (at + segment.length > text.length) return false;
  return segment.every((one, i) => one === '?' || one === text[at + i]);
}

/** The first place from there on, or -1. */
function find(segment: readonly string[], text: readonly string[], from: number): number {
  for (let at = from; at + segment.length <= text.length; at++) if (isAt(segment, text, at)) return at;
  return -1;
}
