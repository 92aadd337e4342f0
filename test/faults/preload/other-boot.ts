// Loaded before an agent that is to run on another machine than this one: the id of its kernel's boot is what STREAMGAUGE_TEST_BOOT_ID says.
import fs from 'node:fs';

const { readFileSync } = fs;
fs.readFileSync = ((file: fs.PathOrFileDescriptor, ...rest: unknown[]): unknown =>
  typeof file === 'string' && file.endsWith('/proc/sys/kernel/random/boot_id')
    ? process.env.STREAMGAUGE_TEST_BOOT_ID!
    : (readFileSync as (...args: unknown[]) => unknown)(file, ...rest)) as typeof fs.readFileSync;
