import test from 'ava';
import { silentLog } from '../../agent/log.ts';
import { until } from '../interop/until.ts';
import { CountingSource, counts } from './counting-source.ts';
import { startAgent, startCollector, view } from './in-process.ts';

test('conflicts and views that make nothing are in the log once, in the status, and in /metrics by cause', async (t) => {
  const warned: { problem?: { cause: string; metric: string }; message: string }[] = [];
  const collector = await startCollector(
    t,
    { views: [view('jobs.lost', { resourceKeys: [], members: 'mean' })] },
    {
      ...silentLog,
      warn: (fields, message) => void warned.push({ ...fields, message }),
    },
  );
  for (const id of ['a', 'b']) {
    const source = new CountingSource();
    source.add(counts, {}, 1);
    source.add({ ...counts, unit: 's' }, {}, 2);
    source.add({ ...counts, name: 'jobs.lost' }, {}, 3);
    await startAgent(t, collector.addresses.grpc, { id, sources: [source.definition()] });
  }
  const { admin, http } = collector.addresses;
  const status = async () => (await fetch(`http://${admin}/status`)).json() as Promise<Status>;
  await until(
    async () => (await status()).members.outputConflicts.unit === 2,
    'both agents have the conflict',
  );
  const { members, problems } = await status();
  t.is(members.viewsInapplicable, 1);
  t.deepEqual(problems.map(({ cause, metric }) => `${cause} ${metric}`).sort(), [
    'aggregation jobs.lost',
    'unit jobs.done',
  ]);
  t.deepEqual(warned.map(({ problem }) => problem?.cause).sort(), ['aggregation', 'unit']);
  const page = await (await fetch(`http://${http}/metrics`)).text();
  t.regex(page, /^streamgauge_collector_output_conflict_total\{[^}]*streamgauge_cause="unit"[^}]*\} 2$/m);
  t.regex(page, /^streamgauge_collector_view_inapplicable_total(\{[^}]*\})? 1$/m);
  t.false(page.includes('jobs_lost'));
});

interface Status {
  readonly members: { readonly outputConflicts: Record<string, number>; readonly viewsInapplicable: number };
  readonly problems: readonly { readonly cause: string; readonly metric: string }[];
}
