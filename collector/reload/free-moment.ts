import type { CollectorCore } from '../collector-core.ts';

/**
 * Runs something synchronous at a moment when nothing of the outputs is read, no interval is half-made and no checkpoint is open: one that is is called off, and written
 * afterwards. Gives whether such a moment has come before the signal. Who reads in turns is asked to read on.
 */
export async function atFreeMoment(
  { state: { outputs }, storage, intervals }: Pick<CollectorCore, 'state' | 'storage' | 'intervals'>,
  signal: AbortSignal,
  run: () => void,
): Promise<boolean> {
  const release = storage.holdCheckpoints();
  try {
    while (!signal.aborted) {
      if (!outputs.isFree) await outputs.whenFree(signal);
      else if (intervals !== undefined && !intervals.isReady()) await intervals.ready();
      else {
        run();
        return true;
      }
    }
    return false;
  } finally {
    release();
  }
}
