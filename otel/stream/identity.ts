import type { Resource } from '../model/resource.ts';

/** Who this end is to the collector: what Hello says. */
export interface Identity {
  /** The same over restarts; at most 256 bytes of UTF-8. */
  readonly memberId: string;
  /** A random token for one run of the process, 16 bytes. */
  readonly incarnation: Uint8Array;
  /** Empty: not known. */
  readonly bootId: string;
  readonly resource: Resource;
  /** Name and version: `streamgauge/0.1.0`. */
  readonly userAgent: string;
}
