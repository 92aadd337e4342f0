import { InvalidArgumentError } from 'commander';
import { bareHost, isHost } from '../otel/config/addresses.ts';
import { parseDuration } from '../otel/config/quantity.ts';

// What the values of options may be. A function throws commander's InvalidArgumentError, whose message follows the option's name.

export function portFlag(value: string): number {
  const port = /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN;
  if (port >= 0 && port <= 65_535) return port;
  throw new InvalidArgumentError('Give a whole number from 0 to 65535; 0 picks a free port.');
}

export function hostFlag(value: string): string {
  if (isHost(value)) return bareHost(value);
  throw new InvalidArgumentError('Give an IP address or a host name, without a port.');
}

/** A function for durations of at least `minMs`. Gives milliseconds. */
export function durationFlag(minMs: number): (value: string) => number {
  return (value) => {
    const ms = parseDuration(/^\d+$/.test(value) ? Number(value) : value);
    if (ms !== undefined && ms >= minMs && ms <= 86_400_000) return ms;
    throw new InvalidArgumentError(`Give a duration from ${minMs}ms to 24h, like 500ms, 10s or 1m.`);
  };
}
