import { draftSuffix } from './storage.ts';

// Names tell the position in hexadecimal digits, so that a listing by name is one by position.

/** What the files of a data directory are called. All other names are somebody else's, and their files are left alone. */
export const directoryFileName = 'directory.json';
export const termsFileName = 'terms';
export const damagedFolder = 'damaged';

export type NamedKind = 'segment' | 'checkpoint';

const pattern = /^(segment|checkpoint)-([0-9a-f]{14})$/;

export function fileName(kind: NamedKind, position: number): string {
  return `${kind}-${position.toString(16).padStart(14, '0')}`;
}

/** What a name says; `undefined` for names of others. */
export function parseFileName(name: string): { kind: NamedKind; position: number } | undefined {
  const match = pattern.exec(name);
  if (match === null) return undefined;
  const position = Number.parseInt(match[2]!, 16);
  return Number.isSafeInteger(position) ? { kind: match[1] as NamedKind, position } : undefined;
}

/** Whether it is a file of ours that was not finished when its process ended. */
export function isDraft(name: string): boolean {
  if (!name.endsWith(draftSuffix)) return false;
  const whole = name.slice(0, -draftSuffix.length);
  return whole === directoryFileName || whole === termsFileName || parseFileName(whole) !== undefined;
}
