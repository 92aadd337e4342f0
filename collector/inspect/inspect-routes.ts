import type { MetricStore } from '../../otel/state/metric-store.ts';
import { jsonAnswer, type Route } from '../http/route.ts';
import { cardinalityAnswer } from './cardinality-answer.ts';
import { inputAnswer } from './input-answer.ts';
import { ledgerQuery } from './ledger-query.ts';
import { type BookedReader, outputAnswer } from './output-answer.ts';

/** What the admin port tells of the state: `/ledger`, the books and whether they balance; `/cardinality`, who has most series. */
export function inspectRoutes(store: MetricStore, readers: () => readonly BookedReader[]): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/ledger',
      summary:
        'What came in, what left and what became of it, by metric and cause (?metric= &member= &by=member &limit=).',
      handle: ({ query }) => {
        const asked = ledgerQuery(query);
        return jsonAnswer({ input: inputAnswer(store, asked), output: outputAnswer(readers(), asked) });
      },
    },
    {
      method: 'GET',
      path: '/cardinality',
      summary: 'The members, metrics and attributes with most series.',
      handle: async () => jsonAnswer(await cardinalityAnswer(store)),
    },
  ];
}
