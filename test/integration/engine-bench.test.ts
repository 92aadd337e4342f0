// The benchmarks of the engine check their own results; here they do so with next to nothing to do.
import test from 'ava';
import { encodePart } from '../bench/engine/encode-part.ts';
import { verifyMerged, withSetUp } from '../bench/engine/merged-load.ts';
import { saturated } from '../bench/streams/collector-load.ts';
import { reportScript } from '../bench/streams/report-script.ts';

for (const kind of ['sum', 'histogram'] as const)
  test(`what streams report of ${kind}s is joined ten to one`, async (t) => {
    const script = reportScript({ kind, seriesPerReport: 20, groups: 2 });
    const load = { streams: 3, seconds: 0.1, script, verify: verifyMerged };
    const seconds = await withSetUp(true, ({ args }) => saturated({ ...load, args, warmUpSeconds: 0.1 }));
    // What was merged is verified; so short a time may be none by the system's clock ticks.
    t.true(seconds >= 0 && seconds < 1);
  });

test('what is collected and encoded decodes to what is held', async (t) => {
  const { figures } = await encodePart({ seconds: 1, scale: 1000 });
  t.true(Number(figures.collect_and_encode_fastest_ms) > 0);
});
