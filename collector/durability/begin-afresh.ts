import { interruptSeries } from '../../otel/state/interrupted-series.ts';
import type { CollectorState } from '../collector-state.ts';
import type { Sessions } from '../sessions/sessions.ts';

/**
 * Something that was acknowledged is lost, so merged outputs may have shown more than what is held, and members may tell again what was counted: merged
 * outputs begin at zero, at a new start time, and of each member that has no stream at present the next report is a baseline. DESIGN, invariant 2.
 * @param nowUs the time that is recorded of it: done again, it has the same start time
 */
export function beginAfresh({ outputs, store }: CollectorState, sessions: Sessions, nowUs: number): void {
  outputs.beginAfresh(nowUs);
  interruptSeries(store, nowUs, (holder) => sessions.get(holder) !== undefined);
}
