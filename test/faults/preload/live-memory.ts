// Loaded before a program whose memory is to be looked at: every second garbage is collected, and the bytes that live are written into the folder
// STREAMGAUGE_TEST_MEMORY, in a file called after the process. Without, resident memory tells how much garbage the runtime likes to keep.
import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import v8 from 'node:v8';
import vm from 'node:vm';

v8.setFlagsFromString('--expose-gc');
const collectGarbage = vm.runInNewContext('gc') as () => void;
const file = path.join(process.env.STREAMGAUGE_TEST_MEMORY!, String(process.pid));

setInterval(() => {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  writeFileSync(`${file}.new`, String(heapUsed + external));
  renameSync(`${file}.new`, file);
}, 1000).unref();
