const binary = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
const decimal = ['', 'k', 'M', 'G', 'T'];

/** A count, short: `950`, `12.3k`, `4.0M`. */
export function countText(value: number): string {
  return scaled(value, 1000, decimal, '');
}

/** Bytes, short: `512 B`, `3.4 MiB`. */
export function byteText(value: number): string {
  return scaled(value, 1024, binary, ' ');
}

/** A part of one: `7.3%`. */
export function percentText(value: number): string {
  return Number.isFinite(value) ? `${(value * 100).toFixed(1)}%` : '–';
}

/** A number with as many digits as help: `0.42`, `12.3`, `1.2k`. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return '–';
  return Math.abs(value) < 10 ? value.toFixed(2) : countText(value);
}

function scaled(value: number, base: number, units: readonly string[], blank: string): string {
  if (!Number.isFinite(value)) return '–';
  let step = 0;
  while (Math.abs(value) >= base && step < units.length - 1) {
    value /= base;
    step++;
  }
  const text = step === 0 && Number.isInteger(value) ? String(value) : value.toFixed(1);
  return `${text}${units[step] === '' ? '' : blank}${units[step]}`;
}
