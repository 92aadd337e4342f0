import type { ExportLog } from '../otel/export/reader-log.ts';
import type { CollectorConfig } from './config/collector-config.ts';

/** A pino logger is one. */
export type CollectorLog = ExportLog & {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
};

export interface CollectorDependencies {
  readonly log: CollectorLog;
  /** Of the program, for its own resource. */
  readonly version?: string;
  /** Reads the configuration again: what a reload puts in force that is given none. Absent: then it must be given one. */
  readonly readConfig?: () => Promise<CollectorConfig>;
  /** Told of a configuration that has been put in force. */
  readonly onReloaded?: (config: CollectorConfig) => void;
}

/** What a drain came to. */
export interface CollectorDrainReport {
  /** Every push reader's backend has the last state. */
  readonly delivered: boolean;
  /** Agents that left when they were asked, and those that were cut off. */
  readonly agents: { readonly left: number; readonly cutOff: number };
  /** Whether a checkpoint was written, so that the next start is quick; `undefined`: there is no data directory. */
  readonly checkpoint: boolean | undefined;
  /** Why not everything that agents were told is kept could be kept in time; `undefined`: it is. */
  readonly storageError: string | undefined;
  readonly readers: readonly {
    readonly name: string;
    readonly delivered: boolean;
    readonly pointsDelivered: number;
    readonly pointsUndelivered: number;
    /** They wait on the disk, and are delivered after the next start. */
    readonly pointsKept: number;
    readonly error: string | undefined;
  }[];
}
