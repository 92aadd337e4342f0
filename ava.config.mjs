// SUITE chooses what runs: nothing or `unit` is `npm test`, which needs no other software and takes minutes; `bad-peers`, `faults` and `interop` are run by .ci/run.
const suite = process.env.SUITE ?? 'unit';

export default {
  extensions: ['ts'],
  // Tells of workers that do not end.
  require: ['./test/process/worker-exit.ts'],
  files:
    suite === 'unit'
      ? ['test/**/*.test.ts', '!test/interop/**', '!test/faults/**', '!test/bad-peers/**', '!test/bench/**']
      : [`test/${suite}/**/*.test.ts`],
  concurrency: 2,
  timeout: suite === 'unit' ? '60s' : '10m',
  workerThreads: false,
};
