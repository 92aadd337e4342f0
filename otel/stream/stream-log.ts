/** One entry of a structured log: fields first, then the sentence for people. A pino logger is one. */
type Write = (fields: object, message: string) => void;

/** What a stream's end logs with. */
export interface StreamLog {
  debug: Write;
  info: Write;
  warn: Write;
  error: Write;
}
