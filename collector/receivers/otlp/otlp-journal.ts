import type { Grant } from '../../security/grant.ts';
import type { OtlpFormat } from './otlp-intake.ts';

/** Told, in order, of everything that changes the state through OTLP, so that it can be done again; and asked when that is sure. */
export interface OtlpJournal {
  /** Before anything of a well-formed request is taken in. @throws StreamgaugeError `overloaded` when it cannot be taken now: then nothing may come of it */
  otlpReceived(nowUs: number, format: OtlpFormat, grant: Grant | undefined, bytes: Uint8Array): void;
  /** Time has changed series. */
  pointsExpired(nowUs: number): void;
  /** Runs once everything up to now is committed: nothing is answered before. At once where nothing is kept. */
  whenCommitted(run: () => void): void;
}

/** For a collector whose state lives as long as its process. */
export const unkeptOtlp: OtlpJournal = {
  otlpReceived() {},
  pointsExpired() {},
  whenCommitted: (run) => run(),
};
