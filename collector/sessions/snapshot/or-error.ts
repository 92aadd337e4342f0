import { SnapshotError } from '../../../otel/snapshot/snapshot-error.ts';
import type { SnapshotReader } from '../../../otel/snapshot/snapshot-reader.ts';
import { StreamgaugeError } from '../../../proto/error.ts';

/** What the function gives. @throws SnapshotError for what it finds wrong with what was read */
export function orError<T>(reader: SnapshotReader, make: () => T): T {
  try {
    return make();
  } catch (thrown) {
    if (thrown instanceof SnapshotError) throw thrown;
    const error = StreamgaugeError.from(thrown);
    if (error.kind !== 'invalid_data' && error.kind !== 'overloaded') throw thrown;
    throw reader.error(error.message);
  }
}
