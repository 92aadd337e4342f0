import type { Collection } from '../../otel/state/point-batch.ts';
import { hostGlance } from './host-glance.ts';
import type { UpStatus } from './status.ts';

/** What `up` asks of a running collector. */
export interface ObservedCollector {
  /** `HOST:PORT` of each listener, with the ports that are bound. */
  readonly addresses: UpStatus['addresses'];
  /** The figures of {@link UpStatus} that are the collector's. */
  figures(): Pick<UpStatus, 'agents' | 'seriesIn' | 'seriesOut' | 'points' | 'wireBytes' | 'readers'>;
  /** What it would export now. */
  collect(): Collection;
}

/** Takes snapshots of a collector. */
export function upSource(collector: ObservedCollector): () => UpStatus {
  const startedMs = performance.now();
  return () => {
    const timeMs = performance.now();
    return {
      timeMs,
      uptimeMs: timeMs - startedMs,
      addresses: collector.addresses,
      ...collector.figures(),
      host: hostGlance(collector.collect()),
    };
  };
}
