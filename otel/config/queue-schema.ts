import { z } from 'zod';
import { defaultMaxAgeMs, defaultQueue, type QueueLimits } from '../export/queue-limits.ts';
import type { Temporality } from '../model/metric.ts';
import { bytes, bytesText, duration, durationText, nullAsEmpty, optional, withDefault } from './fields.ts';

const mostBytes = 64 * 2 ** 30;

/** `queue` of a periodic reader: what may wait for its backend. */
export const queue = nullAsEmpty(
  z.strictObject({
    max_bytes: optional(bytes(0, mostBytes))
      .describe(
        'How many bytes of encoded requests may wait. 0: one delta interval, or of cumulative points the newest state only.',
      )
      .meta({
        defaultText: `${bytesText(defaultQueue.delta.maxBytes)} of delta intervals, 0 of cumulative points`,
      }),
    max_age: withDefault(duration(1000), defaultMaxAgeMs)
      .describe('What has waited for so long is dropped, and counted as `too_old`.')
      .meta({ defaultText: durationText(defaultMaxAgeMs) }),
    when_full: withDefault(z.enum(['coalesce', 'drop_oldest']), 'coalesce').describe(
      '`coalesce`: cumulative collections are thinned evenly over time, the newest stays; delta intervals grow longer, and nothing is lost. `drop_oldest`: of cumulative collections the oldest is dropped.',
    ),
  }),
).describe(
  'What waits while the backend does not take it. Delta intervals are kept in the data directory where there is one, and in memory otherwise; cumulative points in memory.',
);

/** Why these keys cannot stand together, and where; `undefined` when they can. */
export function queueProblem(
  given: z.output<typeof queue>,
  temporality: Temporality,
): { path: string; message: string } | undefined {
  if (temporality === 'delta' && given?.when_full === 'drop_oldest')
    return {
      path: 'when_full',
      message: 'allowed for delta: coalesce, because then no increment is lost while there is no room',
    };
  return undefined;
}

/** @returns `undefined` when the key is not there: then the defaults hold */
export function queueLimits(
  given: z.output<typeof queue>,
  temporality: Temporality,
): QueueLimits | undefined {
  if (given === undefined) return undefined;
  const { max_bytes: maxBytes = defaultQueue[temporality].maxBytes, max_age, when_full } = given;
  return { maxBytes, maxAgeMs: max_age, whenFull: when_full };
}
