import { attributesKey } from '../../otel/model/attributes.ts';
import type { MetricDescription } from '../../otel/model/metric.ts';
import type { Resource } from '../../otel/model/resource.ts';
import {
  batchesOf,
  type Collection,
  noRecordedValue,
  PointBatch,
  type SeriesAttributes,
} from '../../otel/state/point-batch.ts';
import { type Shown, type ShownPoints, shownNothing } from './shown-points.ts';
import { joinedName, streamName } from './stream-name.ts';

const resourceKeys = new WeakMap<Resource, string>();
const seriesKeys = new WeakMap<SeriesAttributes, string>();
const batch = new PointBatch();

/** What the engine's collection holds, by the names and in the form that the model gives points. */
export function readPoints({ resources }: Collection): ShownPoints {
  const found: ShownPoints = new Map();
  for (const { resource, scopes } of resources) {
    const resourceKey = remembered(resourceKeys, resource);
    for (const { streams } of scopes)
      for (const stream of streams) {
        const name = joinedName(streamName(stream.metric, stream.temporality), resource, resourceKey);
        for (const { size } of batchesOf(stream, batch))
          for (let i = 0; i < size; i++) {
            const series = batch.seriesAttributes[i];
            const key = joinedName(name, series, remembered(seriesKeys, series));
            const point = shownAt(i, stream.metric);
            const others = found.get(key);
            if (others === undefined) found.set(key, [point]);
            else others.push(point);
          }
      }
  }
  return found;
}

function remembered<T extends Resource | SeriesAttributes>(keys: WeakMap<T, string>, of: T): string {
  let key = keys.get(of);
  if (key === undefined) {
    key = attributesKey(of.attributes);
    keys.set(of, key);
  }
  return key;
}

function shownAt(i: number, { kind, hasSum, hasMin, hasMax }: MetricDescription): Shown {
  const { startTimeUs, timeUs, flags, values, bucketCount, bucketCounts, quantileCount } = batch;
  if ((flags[i] & noRecordedValue) !== 0) return shownNothing(startTimeUs[i], timeUs[i]);
  const shown = [startTimeUs[i], timeUs[i], 0];
  const range = () => [
    hasSum ? batch.sums[i] : NaN,
    hasMin ? batch.mins[i] : NaN,
    hasMax ? batch.maxes[i] : NaN,
  ];
  switch (kind) {
    case 'sum':
    case 'gauge':
      shown.push(values[i]);
      break;
    case 'histogram':
      for (let b = 0; b < bucketCount; b++) shown.push(bucketCounts[i * bucketCount + b]);
      shown.push(...range());
      break;
    case 'summary':
      shown.push(batch.counts[i], batch.sums[i]);
      for (let q = 0; q < quantileCount; q++) shown.push(batch.quantileValues[i * quantileCount + q]);
      break;
    case 'exponential_histogram': {
      const { exponential: e } = batch;
      const positive = side(e.positiveOffsets[i], e.positiveStarts[i], e.positiveLengths[i]);
      const negative = side(e.negativeOffsets[i], e.negativeStarts[i], e.negativeLengths[i]);
      const hasBuckets = positive.length > 1 || negative.length > 1;
      const isNothing = !hasBuckets && e.zeroCounts[i] === 0;
      shown.push(hasBuckets ? e.scales[i] : NaN, isNothing ? NaN : e.zeroThresholds[i], e.zeroCounts[i]);
      shown.push(...range(), ...positive, ...negative);
    }
  }
  return shown;
}

/** How many buckets count something, and for each its index and count. */
function side(offset: number, start: number, length: number): number[] {
  const { counts } = batch.exponential;
  const found = [0];
  for (let b = 0; b < length; b++) {
    const count = counts[start + b];
    if (count === 0) continue;
    found[0]++;
    found.push(offset + b, count);
  }
  return found;
}
