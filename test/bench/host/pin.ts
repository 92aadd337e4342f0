import { execFileSync } from 'node:child_process';
import os from 'node:os';

/** Keeps a process, all its threads, on one processor. Gives whether that could be done: it takes Linux' taskset and a second processor. */
export function pin(pid: number, processor: number): boolean {
  if (os.availableParallelism() < 2) return false;
  try {
    execFileSync('taskset', ['-apc', String(processor), String(pid)], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
