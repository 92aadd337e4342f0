/** Writes a whole number from 0 to 2^53 - 1 as 8 bytes, the least significant first. BigInts would be garbage at every commit. */
export function writeUint53(bytes: Buffer, value: number, at: number): void {
  bytes.writeUInt32LE(value % 2 ** 32, at);
  bytes.writeUInt32LE(Math.floor(value / 2 ** 32), at + 4);
}

/** The number that {@link writeUint53} wrote; NaN when it is beyond 2^53 - 1. */
export function readUint53(bytes: Buffer, at: number): number {
  const high = bytes.readUInt32LE(at + 4);
  return high < 2 ** 21 ? high * 2 ** 32 + bytes.readUInt32LE(at) : Number.NaN;
}
