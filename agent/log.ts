/** One entry of a structured log: fields first, then the sentence for people. A pino logger is one. */
type Write = (fields: object, message: string) => void;

/** What the agent logs with. The agent itself loads no logging library. */
export interface AgentLog {
  debug: Write;
  info: Write;
  warn: Write;
  error: Write;
}

export const silentLog: AgentLog = { debug() {}, info() {}, warn() {}, error() {} };
