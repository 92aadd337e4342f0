/**
 * Pairs from `key1=value1,key2=value2`, the form of OTEL_RESOURCE_ATTRIBUTES and OTEL_EXPORTER_OTLP_HEADERS (after W3C Baggage, without
 * properties): blanks around keys and values do not count, both may be percent-encoded. Of two pairs with one key the later
 * one holds. Gives a sentence, which holds no value, when an item is not of that form.
 */
export function parseKeyValueList(list: string): Map<string, string> | string {
  const pairs = new Map<string, string>();
  for (const [index, item] of list.split(',').entries()) {
    if (item.trim() === '') continue;
    const at = item.indexOf('=');
    const key = decoded(item.slice(0, Math.max(at, 0)).trim());
    const value = decoded(item.slice(at + 1).trim());
    if (at < 0 || !key || value === undefined) {
      return `item ${index + 1} is not of the form key=value with percent-encoding for , = and %`;
    }
    pairs.set(key, value);
  }
  return pairs;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
