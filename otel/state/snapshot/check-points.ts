import type { SnapshotReader } from '../../snapshot/snapshot-reader.ts';
import type { DeltaIntervals } from '../intake/delta-intervals.ts';
import { type PointSeries, temporalities } from '../intake/point-series.ts';
import type { MetricStore } from '../metric-store.ts';

/** Holds the series of points, just loaded, against the store. @throws SnapshotError for what cannot be */
export function checkPoints(
  series: PointSeries,
  intervals: DeltaIntervals,
  store: MetricStore,
  reader: SnapshotReader,
): void {
  for (let clock = 0; clock < series.length; clock++) {
    const slot = series.slots.get(clock);
    if (slot === 0) continue;
    const kind = series.kinds.get(clock);
    const slots = store.states[kind]?.series.length ?? 0;
    if (clock === 0 || !store.clocks.has(clock) || slot >= slots)
      throw reader.error(`clock ${clock} is that of slot ${slot} of kind ${kind}, which there is not`);
    const temporality = series.temporalities.get(clock);
    if (temporality > temporalities.foreign)
      throw reader.error(
        `the temporality of clock ${clock} is ${temporality}; 0 to ${temporalities.foreign} is allowed`,
      );
    const ring = series.intervals.get(clock);
    if (!intervals.isRing(ring) || (ring === 0 && temporality === temporalities.delta))
      throw reader.error(`the intervals of clock ${clock} are in ring ${ring}, which there is not`);
  }
}
