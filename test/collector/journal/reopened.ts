import type { DurableState } from '../../../collector/journal/durable-state.ts';
import { silentLog } from '../../../collector/journal/journal-log.ts';
import type { JournalOptions } from '../../../collector/journal/journal-options.ts';
import { Recovery, type RecoveryReport } from '../../../collector/journal/recovery.ts';
import type { Storage } from '../../../collector/journal/storage.ts';

export interface Reopened {
  readonly state: DurableState;
  readonly report: RecoveryReport;
  /** What the checkpoint holds, each `TYPE KEY TEXT`. */
  readonly chunks: string[];
  /** The records behind it. */
  readonly records: { type: number; text: string; position: number }[];
}

/** Opens a directory, reads all of it and begins. */
export async function reopen(
  storage: Storage,
  options: JournalOptions = {},
  log = silentLog,
): Promise<Reopened> {
  const recovery = await Recovery.start(storage, { log });
  const chunks: string[] = [];
  for await (const { type, key, bytes } of recovery.chunks())
    chunks.push(`${type} ${key} ${Buffer.from(bytes).toString('latin1')}`);
  const records: Reopened['records'] = [];
  for await (const { type, bytes, position } of recovery.records())
    records.push({ type, text: bytes.toString('latin1'), position });
  return { ...(await recovery.begin(options)), chunks, records };
}
