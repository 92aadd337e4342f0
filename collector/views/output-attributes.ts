import { type AttributeKeys, changesAttributes, type ViewStream } from '../../otel/config/metric-views.ts';
import { namePattern } from '../../otel/config/name-pattern.ts';
import { type Attributes, attributes } from '../../otel/model/attributes.ts';

/** The attributes that an output gives a series, from the series' own and the name of its metric. */
export type OutputAttributes = (own: Attributes, metricName: string) => Attributes;

/**
 * What a view makes of a series' attributes: those it keeps by their own keys, renamed all at once, with the metric's name. Where two come
 * under one key, the name holds before what was renamed, that before what had the key already, and of two that were renamed the later in
 * the configuration. `undefined`: they stay as they are.
 */
export function outputAttributes(stream: ViewStream): OutputAttributes | undefined {
  if (!changesAttributes(stream)) return undefined;
  const keeps = attributeFilter(stream.attributeKeys);
  const renames = Object.entries(stream.renameAttributes ?? {});
  const renamed = new Set(renames.map(([from]) => from));
  const { metricNameAttribute } = stream;
  return (own, metricName) => {
    const kept = own.filter(([key]) => keeps(key));
    const isRenamed = kept.some(([key]) => renamed.has(key));
    if (!isRenamed && metricNameAttribute === undefined) return kept.length === own.length ? own : kept;
    const pairs = kept.filter(([key]) => !renamed.has(key));
    for (const [from, to] of renames)
      for (const [key, value] of kept) if (key === from) pairs.push([to, value]);
    if (metricNameAttribute !== undefined) pairs.push([metricNameAttribute, metricName]);
    return attributes(pairs);
  };
}

/** Keys whose answers are remembered; they come from outside, and members share most of them. */
const maxRemembered = 4096;

function attributeFilter(keys: AttributeKeys | undefined): (key: string) => boolean {
  if (keys?.included === undefined && keys?.excluded === undefined) return () => true;
  const patterns = (list: readonly string[] | undefined) =>
    list?.map((pattern) => namePattern(pattern, { ignoreCase: false }));
  const included = patterns(keys.included);
  const excluded = patterns(keys.excluded) ?? [];
  const remembered = new Map<string, boolean>();
  return (key) => {
    const known = remembered.get(key);
    if (known !== undefined) return known;
    const keeps =
      (included === undefined || included.some((pattern) => pattern.test(key))) &&
      !excluded.some((pattern) => pattern.test(key));
    if (remembered.size >= maxRemembered) remembered.clear();
    remembered.set(key, keeps);
    return keeps;
  };
}
