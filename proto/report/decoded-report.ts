import type { GroupColumns } from './group-columns.ts';

/** What the last decoded report of a stream held. Owned by its StreamColumns, and used again for the next report. */
export class DecodedReport {
  /** The report's number within the incarnation. */
  number = 0;
  /** Always false: neither side offers the capability `history`. */
  readonly history: boolean = false;
  /** The groups in the report, up to `groupCount`. Their `changed` lists and places without a recorded value are those of this report. */
  readonly groups: GroupColumns[] = [];
  groupCount = 0;
}
