import type { OutputFigures } from '../../otel/export/output-ledger.ts';
import type { ReaderCounts } from '../../otel/export/reader-status.ts';
import type { LedgerQuery } from './ledger-query.ts';

/** A push reader, as far as its book is concerned. */
export interface BookedReader {
  readonly name: string;
  readonly counts: Pick<ReaderCounts, 'requests' | 'requestsFailed' | 'retries'>;
  readonly lines: readonly OutputFigures[];
}

export interface OutputAnswer {
  readonly equation: 'collected = exported + rejected + failed + superseded + dropped + waiting';
  readonly isBalanced: boolean;
  /** In the order of the configuration. Scrapes are not in it: nothing of them is kept. */
  readonly readers: readonly {
    readonly reader: string;
    /** Tries, repeated ones too. */
    readonly requests: number;
    readonly requestsFailed: number;
    readonly retries: number;
    readonly lines: readonly OutputFigures[];
    readonly omitted: number;
  }[];
}

/** The output books as they stand. */
export function outputAnswer(readers: readonly BookedReader[], { metric, limit }: LedgerQuery): OutputAnswer {
  return {
    equation: 'collected = exported + rejected + failed + superseded + dropped + waiting',
    isBalanced: readers.every(({ lines }) => lines.every(({ isBalanced }) => isBalanced)),
    readers: readers.map(({ name, counts, lines }) => {
      const chosen = lines.filter((line) => metric?.test(line.metric) ?? true);
      chosen.sort((a, b) => (a.metric < b.metric ? -1 : 1));
      const { requests, requestsFailed, retries } = counts;
      return {
        reader: name,
        requests,
        requestsFailed,
        retries,
        lines: chosen.slice(0, limit),
        omitted: Math.max(0, chosen.length - limit),
      };
    }),
  };
}
