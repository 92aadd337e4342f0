import test, { type ExecutionContext } from 'ava';
import { Agent } from '../../agent/agent.ts';
import { agentDefaults } from '../../agent/config/agent-config.ts';
import { silentLog } from '../../agent/log.ts';
import { Collector } from '../../collector/collector.ts';
import { collectorDefaults } from '../../collector/config/collector-config.ts';
import { attributes } from '../../otel/model/attributes.ts';
import { scraping } from './prometheus/prometheus-server.ts';
import { promtoolComplaints } from './prometheus/promtool.ts';
import { RecordedSource } from './recorded-source.ts';
import { until } from './until.ts';

/** A collector and an agent with this machine's host metrics and a source whose values are known. Gives `host:port` of /metrics. */
async function startBoth(t: ExecutionContext): Promise<{ source: RecordedSource; http: string }> {
  const anyPort = { port: 0 };
  const collector = new Collector(
    {
      ...collectorDefaults,
      grpc: { ...collectorDefaults.grpc, ...anyPort },
      http: { ...collectorDefaults.http, ...anyPort },
      admin: { ...collectorDefaults.admin, ...anyPort },
    },
    { log: silentLog },
  );
  await collector.start();
  t.teardown(() => collector.stop());
  const source = new RecordedSource();
  const agent = new Agent(
    {
      ...agentDefaults,
      agentId: 'interop',
      resource: attributes({ 'service.name': 'interop', 'service.instance.id': 'one' }),
      collector: { ...agentDefaults.collector, endpoint: collector.addresses.grpc },
    },
    { log: silentLog, sources: [source.definition(50)] },
  );
  await agent.start();
  t.teardown(() => agent.stop());
  await until(
    async () => /^recorded_/m.test(await exposition(collector.addresses.http)),
    'the series are shown',
  );
  return { source, http: collector.addresses.http };
}

async function exposition(http: string): Promise<string> {
  const response = await fetch(`http://${http}/metrics`, { signal: AbortSignal.timeout(30_000) });
  return response.text();
}

test("promtool finds nothing wrong with a collector's /metrics, host metrics and its own included", async (t) => {
  const { http } = await startBoth(t);
  const text = await exposition(http);
  t.regex(text, /^system_cpu_time_seconds_total\{/m);
  t.regex(text, /^streamgauge_collector_report_received_total\{/m);
  t.is(text.match(/^target_info\{.*job="interop"/gm)?.length, 1);
  t.deepEqual(await promtoolComplaints(text), []);
});

test("a real Prometheus that scrapes a collector answers with the agent's values", async (t) => {
  const { source, http } = await startBoth(t);
  const prometheus = await scraping(t, http);
  source.frozen = true;
  const names = {
    'recorded.io': 'recorded_io_bytes_total',
    'recorded.seconds': 'recorded_seconds_total',
    'recorded.open': 'recorded_open',
    'recorded.temperature': 'recorded_temperature_celsius',
    'recorded.size': 'recorded_size',
  };
  for (const [metric, name] of Object.entries(names)) {
    for (const index of [0n, 1n, 2n]) {
      const query = `${name}{job="interop", instance="one", index="${index}"}`;
      const value = source.lastValue({ name: metric, attributes: { index } });
      await until(async () => {
        const answer = await prometheus.query(query);
        return answer.length === 1 && Number(answer[0].value) === value;
      }, `Prometheus answers ${query} with ${value}`);
    }
  }
  t.is(
    (await prometheus.query(`count({otel_scope_name="interop.recorded"})`))[0].value,
    `${source.seriesCount}`,
  );
});
