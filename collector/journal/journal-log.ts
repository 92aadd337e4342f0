/** One entry of a structured log: fields first, then the sentence for people. */
type Write = (fields: object, message: string) => void;

/** What the journal logs with; a pino logger is one. */
export interface JournalLog {
  info: Write;
  warn: Write;
  error: Write;
}

export const silentLog: JournalLog = { info() {}, warn() {}, error() {} };
