import type { Temporality } from '../../otel/model/metric.ts';
import { isNothing } from '../otel/state/exponential-model.ts';
import { isSilent, presentValue } from './model-point.ts';
import type { ModelReader, ModelSeries } from './model-series.ts';
import { type Amount, isCounter, isExponential, minus } from './model-values.ts';
import { type Shown, shownExponential, shownList, shownNothing } from './shown-points.ts';
import { joinedName, streamName } from './stream-name.ts';

/**
 * A series in the outputs that hand it on, with value and start time as they came. Counters and summaries are shown until a reader's
 * backend has their last state, gauges and up-down sums while they are present. A delta is due whatever became of the series.
 */
export function showPassing(
  series: ModelSeries,
  reader: ModelReader,
  nowUs: number,
  put: (name: string, shown: Shown) => void,
): void {
  const { held, isFlagged, clock, startUs } = series;
  const { metric } = series.of;
  const counts = isCounter(metric);
  const isKept = (counts || metric.kind === 'summary') && series.leftUs >= reader.deliveredUs;
  for (const { output, name } of series.passing) {
    const { stream, metric: leaving } = output;
    const isShown =
      held !== undefined &&
      (series.isPresent || isKept) &&
      (counts || metric.kind === 'summary' || !isSilent(series, stream.stalenessMs, nowUs));
    const pointName = joinedName(streamName(leaving, temporalityOf(series, reader)), series, name);
    if (counts && reader.temporality === 'delta') {
      const due = dueTo(series, reader);
      const isDue = hasCounts(due, metric.kind === 'histogram');
      if (!isShown && !isDue) continue;
      if (reader.stays) series.bases.set(reader, series.counted);
      if (isFlagged && !isDue) put(pointName, shownNothing(reader.collectedUs, nowUs));
      else if (isExponential(due)) put(pointName, shownExponential(leaving, due, reader.collectedUs, nowUs));
      else put(pointName, shownList(leaving, due, reader.collectedUs, nowUs));
    } else if (isShown) {
      const shownStartUs = metric.kind === 'gauge' ? 0 : startUs;
      if (isFlagged) put(pointName, shownNothing(shownStartUs, clock.timeUs));
      else if (isExponential(held))
        put(pointName, shownExponential(leaving, held, shownStartUs, clock.timeUs, series.min, series.max));
      else {
        const value = metric.kind === 'gauge' ? [presentValue(series, stream.overTime, reader)] : held;
        put(pointName, shownList(leaving, value, shownStartUs, clock.timeUs, series.min, series.max));
      }
    }
  }
}

function temporalityOf({ of: { metric } }: ModelSeries, reader: ModelReader): Temporality | undefined {
  if (isCounter(metric)) return reader.temporality;
  return metric.kind === 'sum' ? 'cumulative' : undefined;
}

function dueTo({ counted, bases }: ModelSeries, reader: ModelReader): Amount {
  const base = bases.get(reader);
  return base === undefined ? counted : minus(counted, base);
}

function hasCounts(due: Amount, isHistogram: boolean): boolean {
  if (isExponential(due)) return !isNothing(due);
  return (isHistogram ? due.slice(0, -1) : due).some((count) => count !== 0);
}
