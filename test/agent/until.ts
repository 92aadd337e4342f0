import { setTimeout as delay } from 'node:timers/promises';

/** Waits for a named condition; fails when it has not come true within thirty seconds. */
export async function until(what: string, condition: () => boolean, deadlineMs = 30_000): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`${deadlineMs} ms passed and it never came true: ${what}`);
    await delay(2);
  }
}
