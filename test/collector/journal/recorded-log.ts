import type { JournalLog } from '../../../collector/journal/journal-log.ts';

export interface RecordedLog extends JournalLog {
  readonly entries: { level: string; fields: object; message: string }[];
}

export function recordedLog(): RecordedLog {
  const entries: RecordedLog['entries'] = [];
  const at = (level: string) => (fields: object, message: string) =>
    void entries.push({ level, fields, message });
  return { entries, info: at('info'), warn: at('warn'), error: at('error') };
}
