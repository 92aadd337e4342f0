/**
 * Where an agent's values come from. A source defines its series in the sampling group it was made with and sets their values.
 */
export interface Source {
  /** For logs and status: `host.cpu`. */
  readonly name: string;
  /**
   * Reads everything once and sets the values in place. Called once an interval, never twice at a time. It does not throw for
   * what a host may lack: a file that is missing or unreadable disables its metrics with one warning.
   */
  collect(): void;
  /**
   * Resolves when the values that the last collection could only ask for (of file systems, which may take their time) are set.
   * Absent: `collect` sets all. The caller bounds the wait: what hangs never answers.
   */
  settled?(): Promise<void>;
  /** Lets go of files. Nothing is called after it. Absent: there are none. */
  stop?(): void;
}
