import path from 'node:path';
import test, { registerCompletionHandler } from 'ava';

// Loaded by every worker before its test file. AVA waits for workers to end by themselves, and one that does not is told of nowhere in TAP.

/** How long a worker may take to end after its last test, hooks and teardowns included. */
const exitMs = Number(process.env.STREAMGAUGE_TEST_EXIT_MS ?? 15_000);
const file = path.relative(process.cwd(), new URL(test.meta.file).pathname);

// What `ps` and .ci/run show of a worker that had to be ended.
process.title = `ava worker of ${file}`;

registerCompletionHandler(() => {
  const timer = setTimeout(() => {
    const held = Object.entries(Object.groupBy(process.getActiveResourcesInfo(), (name) => name))
      .map(([name, all]) => `${all!.length} ${name}`)
      .join(', ');
    process.stderr.write(
      `${file} did not exit within ${exitMs} ms of its last test; what holds it: ${held || 'nothing that Node knows of'}. Close what the tests opened, in a teardown.\n`,
    );
    process.exit(1);
  }, exitMs);
  // It does not hold the worker itself.
  timer.unref();
});
