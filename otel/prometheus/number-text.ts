/** A sample's value: whole numbers up to 2^53 (and on to 1e21) have no exponent. */
export function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return `${value}`;
}

/**
 * The upper bound of a bucket as the value of `le`. OpenMetrics asks for its canonical form of numbers, in which a whole number
 * is written 1.0; the text format has 1.
 */
export function boundText(bound: number, openMetrics: boolean): string {
  const text = numberText(bound);
  return openMetrics && /^-?[0-9]+$/.test(text) ? `${text}.0` : text;
}
