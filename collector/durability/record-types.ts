/**
 * Types of records in the journal. docs/journal.md, "Records", has their bytes; a change of what one of them means is a new version of the format.
 */
export const recordTypes = {
  /** The time by the store's clock, whole: later ones are differences. */
  time: 1,
  /** The directory was opened: all sessions are over, and readers are to come again. */
  begin: 2,
  /** Other rules. */
  rules: 3,
  /** A reader that stays. */
  reader: 4,
  /** A stream was opened. */
  open: 5,
  /** A message of an agent. */
  message: 6,
  /** A stream is over. */
  end: 7,
  /** Time changed something. */
  tick: 8,
  /** What ended was freed. */
  sweep: 9,
  /** A reader's interval ended. */
  collection: 10,
  /** A reader's backend has all of its last collection. */
  delivery: 11,
  /** A delta interval was read on. */
  steps: 12,
  /** Requests of a delta interval were answered for good. */
  answers: 13,
  /** Something acknowledged was lost: merged outputs begin anew. */
  loss: 14,
  /** A request of OTLP. */
  otlp: 15,
  /** Time changed series of data points. */
  expire: 16,
  /** A reader is no more. */
  readerGone: 17,
  /** A read brought points to another scale or zero threshold. */
  shown: 18,
} as const;

export type RecordType = (typeof recordTypes)[keyof typeof recordTypes];

/** By number, for people. */
export const recordTypeNames: ReadonlyMap<number, string> = new Map(
  Object.entries(recordTypes).map(([name, number]) => [number, name]),
);
