// Loaded before a program whose clocks are to jump: the file STREAMGAUGE_TEST_CLOCKS holds how far the wall clock and the monotonic clock are ahead of the
// machine's, in milliseconds: `WALL MONOTONIC`. It is looked at every 10 ms. Timers keep to the machine's time.
import { readFileSync } from 'node:fs';

const control = process.env.STREAMGAUGE_TEST_CLOCKS!;
let wallMs = 0;
let monotonicMs = 0;
function look(): void {
  try {
    const [wall, monotonic] = readFileSync(control, 'utf8').split(' ').map(Number);
    if (!Number.isFinite(wall) || !Number.isFinite(monotonic)) return;
    wallMs = wall!;
    // That one never goes back.
    monotonicMs = Math.max(monotonicMs, monotonic!);
  } catch {
    // Not there yet.
  }
}
look();
setInterval(look, 10).unref();

const { now } = Date;
Date.now = () => now() + wallMs;
const monotonic = performance.now.bind(performance);
performance.now = () => monotonic() + monotonicMs;
const { bigint } = process.hrtime;
process.hrtime.bigint = () => bigint() + BigInt(Math.round(monotonicMs * 1e6));
