import type { Figures } from '../main.ts';

/** One line of the table. Every value with its unit. */
export interface Row {
  readonly figure: string;
  readonly value: string;
  readonly target?: string;
  /** The same of somebody else's software, in the same run. */
  readonly peer?: string;
}

export interface PartResult {
  readonly rows: readonly Row[];
  readonly figures: Figures;
}

export interface PartOptions {
  /** How long a load lasts. */
  readonly seconds: number;
  /** Divides the numbers of series and streams: 1 for figures that count. */
  readonly scale: number;
}

/** Measures some figures, and checks that the work was done. @throws Error when it was not */
export type Part = (options: PartOptions) => Promise<PartResult>;

export function million(perSecond: number): string {
  return `${(perSecond / 1e6).toFixed(perSecond < 10e6 ? 2 : 1)} million/s`;
}
