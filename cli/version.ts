import { existsSync, readFileSync } from 'node:fs';

/** This program's version, from package.json: beside the sources in a clone, two folders up from `dist/cli` in the package. */
export function version(): string {
  for (const place of ['../package.json', '../../package.json']) {
    const url = new URL(place, import.meta.url);
    if (existsSync(url)) return (JSON.parse(readFileSync(url, 'utf8')) as { version: string }).version;
  }
  return '0.0.0';
}
