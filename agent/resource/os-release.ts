import fs from 'node:fs';

/**
 * The assignments of os-release(5), without their quotes: NAME, VERSION_ID, PRETTY_NAME and others. Empty when there is no such
 * file.
 *
 * @param root - stands before the paths: '' or where the host's root is mounted
 */
export function osRelease(root = ''): ReadonlyMap<string, string> {
  for (const path of ['/etc/os-release', '/usr/lib/os-release']) {
    try {
      return parse(fs.readFileSync(`${root}${path}`, 'utf8'));
    } catch {
      // The other path may have it.
    }
  }
  return new Map();
}

function parse(text: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^\s*([A-Z][A-Z0-9_]*)=(.*?)\s*$/.exec(line);
    if (match !== null) values.set(match[1]!, unquote(match[2]!));
  }
  return values;
}

function unquote(value: string): string {
  if (value.length >= 2 && value.startsWith("'") && value.endsWith("'")) return value.slice(1, -1);
  const bare = value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
  return bare.replace(/\\([\\"$`'])/g, '$1');
}
