import { type Collection, noMore, PointBatch } from '../otel/state/point-batch.ts';

/** Reads a collection to its end: what there is by now belongs to no interval of a reader that begins. */
export function passOver({ resources }: Collection): void {
  const batch = new PointBatch();
  for (const { scopes } of resources)
    for (const { streams } of scopes)
      for (const stream of streams) for (let at = 0; at !== noMore; ) at = stream.read(batch, at);
}
