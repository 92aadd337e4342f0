/** The number of seconds that a benchmark is told to take: its first argument. @throws RangeError when that is no such number */
export function secondsArgument(args: readonly string[], usual: number): number {
  const seconds = args[0] === undefined ? usual : Number(args[0]);
  if (Number.isFinite(seconds) && seconds >= 1 && seconds <= 3600) return seconds;
  throw new RangeError(`found ${JSON.stringify(args[0])} for the seconds: give a number from 1 to 3600`);
}
