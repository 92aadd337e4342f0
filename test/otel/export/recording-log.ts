import type { ExportLog } from '../../../otel/export/reader-log.ts';

export interface LogEntry {
  level: string;
  fields: Record<string, unknown>;
  message: string;
}

/** A log that keeps what is written. */
export function recordingLog(): { log: ExportLog; entries: LogEntry[] } {
  const entries: LogEntry[] = [];
  const write = (level: string) => (fields: object, message: string) =>
    void entries.push({ level, fields: { ...fields }, message });
  return {
    log: { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') },
    entries,
  };
}
