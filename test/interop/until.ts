import { setTimeout as delay } from 'node:timers/promises';

/** Waits for a condition that nothing announces. @throws Error when it does not hold in time */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 30_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`after ${timeoutMs} ms still not: ${what}`);
    await delay(20);
  }
}
