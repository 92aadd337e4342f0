import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

const pageBytes = 4096;

/** Resident memory of a process, bytes. */
export function residentBytes(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * pageBytes;
}

/** Files, sockets and the like that a process has open. */
export function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Bytes of the files in a directory; what goes meanwhile counts as nothing. */
export function directoryBytes(directory: string): number {
  return readdirSync(directory).reduce((sum, name) => sum + sizeOf(path.join(directory, name)), 0);
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
}

export const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
