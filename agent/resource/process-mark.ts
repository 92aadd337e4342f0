import fs from 'node:fs';

/** What tells a process from all others of one boot. */
export interface ProcessMark {
  readonly pid: number;
  /** When it began, in clock ticks since the boot; 0: not known. */
  readonly startTicks: number;
}

/** This process. */
export function ownMark(): ProcessMark {
  return { pid: process.pid, startTicks: startTicksOf('self') ?? 0 };
}

/** Whether the process is there, and is not this one. False where it cannot be known: on other systems, or in another pid namespace. */
export function isOtherAlive({ pid, startTicks }: ProcessMark): boolean {
  return startTicks > 0 && pid !== process.pid && startTicksOf(String(pid)) === startTicks;
}

function startTicksOf(pid: string): number | undefined {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name stands in parentheses and may hold any others.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, ticks] = [fields[0], Number(fields[19])];
    // One that has ended and that nobody has waited for yet writes no more.
    return state === 'Z' || !Number.isSafeInteger(ticks) ? undefined : ticks;
  } catch {
    return undefined;
  }
}
