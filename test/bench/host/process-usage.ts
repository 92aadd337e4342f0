import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** CPU time that a process has used since its start, user and system, all threads, in seconds. Linux. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The name, the second field, is in parentheses and may hold anything; the fields after it start with the third.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[14 - 3]) + Number(fields[15 - 3])) / ticksPerSecond;
}

export interface ResidentMemory {
  readonly nowMiB: number;
  /** The most it ever was. */
  readonly peakMiB: number;
}

/** Linux. */
export function residentMemory(pid: number): ResidentMemory {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const mib = (key: string): number => {
    const kib = new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
    if (kib === undefined) throw new Error(`/proc/${pid}/status has no ${key}`);
    return Number(kib) / 1024;
  };
  return { nowMiB: mib('VmRSS'), peakMiB: mib('VmHWM') };
}

/** The CPU time of a process once it has done all that it was sent: it does not wait for late Acks, and is not asked for its status before. */
export async function cpuAtRest(pid: number): Promise<number> {
  for (;;) {
    const before = cpuSeconds(pid);
    await delay(100);
    const now = cpuSeconds(pid);
    if (now - before <= 0.01) return now;
  }
}
