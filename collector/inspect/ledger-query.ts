import { type NamePattern, namePattern } from '../../otel/config/name-pattern.ts';
import { InvalidDataError } from '../../proto/error.ts';

/** Which lines of the book are asked for. */
export interface LedgerQuery {
  readonly member: NamePattern | undefined;
  readonly metric: NamePattern | undefined;
  /** A line for each member, rather than one for each metric. */
  readonly byMember: boolean;
  readonly limit: number;
}

const defaultLimit = 1000;
const largestLimit = 100_000;

/**
 * The query of GET /ledger: `metric` and `member` as names with * and ?, `by` metric (default) or member, `limit`.
 * @throws InvalidDataError naming the parameter, the value and what is allowed
 */
export function ledgerQuery(parameters: URLSearchParams): LedgerQuery {
  for (const name of parameters.keys())
    if (!['metric', 'member', 'by', 'limit'].includes(name))
      throw new InvalidDataError(
        `the parameter ${JSON.stringify(name)} is not known; allowed are metric, member, by and limit`,
      );
  const by = parameters.get('by') ?? 'metric';
  if (by !== 'metric' && by !== 'member')
    throw new InvalidDataError(`by is ${JSON.stringify(by)}; allowed are metric and member`);
  const limit = parameters.get('limit') ?? String(defaultLimit);
  if (!/^\d{1,6}$/.test(limit) || Number(limit) < 1 || Number(limit) > largestLimit)
    throw new InvalidDataError(
      `limit is ${JSON.stringify(limit)}; allowed is a whole number from 1 to ${largestLimit}`,
    );
  return {
    metric: pattern(parameters.get('metric')),
    member: pattern(parameters.get('member')),
    byMember: by === 'member',
    limit: Number(limit),
  };
}

function pattern(text: string | null): NamePattern | undefined {
  return text === null || text === '' ? undefined : namePattern(text, { ignoreCase: false });
}
