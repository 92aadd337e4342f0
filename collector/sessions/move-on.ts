import { setTimeout as delay } from 'node:timers/promises';
import type { Session } from './session.ts';

/** They are asked in steps of this. */
const stepMs = 100;

/**
 * Asks the agents of streams to move on, so many a second, so that they do not all come back at once. They report what they have, half-close, and connect again. Resolves
 * when all were asked, or the signal is aborted: whoever was not asked stays.
 */
export async function moveOn(
  sessions: readonly Session[],
  perSecond: number,
  signal: AbortSignal,
): Promise<void> {
  const atOnce = Math.max(1, Math.floor((perSecond * stepMs) / 1000));
  for (let asked = 0; asked < sessions.length && !signal.aborted; asked += atOnce) {
    if (asked > 0) await delay(stepMs, undefined, { signal, ref: false }).catch(() => {});
    if (signal.aborted) return;
    for (const session of sessions.slice(asked, asked + atOnce))
      if (session.state === 'open') session.drain(0);
  }
}
