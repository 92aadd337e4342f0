import type { StorageStatus } from '../durability/state-storage.ts';
import type { Emit, ObservedMetric } from './observed-metric.ts';
import type { TelemetrySource } from './telemetry-source.ts';

type DirectoryStatus = Extract<StorageStatus, { kind: 'directory' }>;

/** The data directory; without one there is nothing to tell. */
export const storageMetrics: readonly ObservedMetric<TelemetrySource>[] = [
  ofDirectory(
    'storage.failing',
    'gauge',
    '1',
    '1 while the disk takes nothing, so that nothing is acknowledged nor exported; else 0.',
    ({ state }, emit) => emit(state === 'failing' ? 1 : 0),
  ),
  ofDirectory(
    'storage.loss',
    'counter',
    '{loss}',
    'Times that acknowledged data was found lost, so that merged totals began anew.',
    ({ losses }, emit) => emit(losses),
  ),
  ofDirectory('journal.commit', 'counter', '{commit}', 'Writes to the journal.', ({ commits }, emit) =>
    emit(commits),
  ),
  ofDirectory(
    'journal.commit.failed',
    'counter',
    '{commit}',
    'Writes that the disk did not take; they are tried again.',
    ({ commitErrors }, emit) => emit(commitErrors),
  ),
  ofDirectory(
    'journal.commit.time',
    'counter',
    's',
    'Time that commits took; divided by the commits it is the mean.',
    ({ commitMs }, emit) => emit(commitMs / 1e3),
  ),
  ofDirectory('journal.io', 'counter', 'By', 'Bytes written to the journal.', ({ writtenBytes }, emit) =>
    emit(writtenBytes),
  ),
  ofDirectory(
    'journal.pending',
    'up_down_counter',
    'By',
    'Bytes that wait to be written.',
    ({ pendingBytes }, emit) => emit(pendingBytes),
  ),
  ofDirectory(
    'journal.refused',
    'counter',
    '{record}',
    'Messages that were not taken because too much waited to be written; their streams were ended.',
    ({ refusedRecords }, emit) => emit(refusedRecords),
  ),
  ofDirectory(
    'checkpoint.done',
    'counter',
    '{checkpoint}',
    'Checkpoints that were written.',
    ({ checkpoints }, emit) => emit(checkpoints.written),
  ),
  ofDirectory(
    'checkpoint.failed',
    'counter',
    '{checkpoint}',
    'Checkpoints that could not be written or were given up; the one before holds.',
    ({ checkpoints }, emit) => emit(checkpoints.failed),
  ),
  ofDirectory('checkpoint.size', 'gauge', 'By', 'Size of the last checkpoint.', ({ checkpoint }, emit) => {
    if (checkpoint !== null) emit(checkpoint.bytes);
  }),
  ofDirectory(
    'checkpoint.pause',
    'gauge',
    's',
    'How long taking a checkpoint held up everything else, at most; writing it does not.',
    ({ checkpoint }, emit) => {
      if (checkpoint !== null) emit(checkpoint.longestMomentMs / 1e3);
    },
  ),
];

function ofDirectory(
  name: string,
  kind: ObservedMetric<TelemetrySource>['kind'],
  unit: string,
  description: string,
  observe: (status: DirectoryStatus, emit: Emit) => void,
): ObservedMetric<TelemetrySource> {
  return {
    name: `streamgauge.collector.${name}`,
    kind,
    unit,
    description,
    observe: ({ levels }, emit) => {
      const { storage } = levels();
      if (storage.kind === 'directory') observe(storage, emit);
    },
  };
}
