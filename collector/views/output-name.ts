import type { ViewStream } from '../../otel/config/metric-views.ts';
import { namePattern } from '../../otel/config/name-pattern.ts';

/** The name that a view gives to a metric, from the metric's own; `undefined`: each keeps its own. */
export function outputName({ name, renameMetric }: ViewStream): ((own: string) => string) | undefined {
  if (name !== undefined) return () => name;
  if (renameMetric === undefined) return undefined;
  const from = namePattern(renameMetric.from, { ignoreCase: true });
  const [first = '', ...rest] = renameMetric.to.split('*');
  return (own) => {
    const captures = from.captures(own);
    if (captures === undefined) return own;
    return rest.reduce((text, part, i) => text + captures[i] + part, first);
  };
}
