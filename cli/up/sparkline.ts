const bars = '▁▂▃▄▅▆▇█';

/**
 * The last values as bars, from 0 to the greatest of them or to `max`; values that are not finite are blanks. At most `columns`
 * characters.
 */
export function sparkline(values: readonly number[], columns: number, max?: number): string {
  const shown = columns > 0 ? values.slice(-columns) : [];
  const top = max ?? Math.max(0, ...shown.filter(Number.isFinite));
  return shown
    .map((value) => {
      if (!Number.isFinite(value)) return ' ';
      const part = top > 0 ? Math.min(1, Math.max(0, value / top)) : 0;
      return bars[Math.min(bars.length - 1, Math.floor(part * bars.length))];
    })
    .join('');
}
