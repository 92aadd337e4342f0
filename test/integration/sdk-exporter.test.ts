import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import test from 'ava';
import type { SdkLoss } from '../../otel/export/state-producer.ts';
import { counter, SyntheticAgent } from '../agents/synthetic-agent.ts';
import { startCollector, view } from './in-process.ts';

for (const temporality of ['cumulative', 'delta'] as const) {
  test(`what agents report reaches any exporter of the SDK: ${temporality}`, async (t) => {
    const collector = await startCollector(t, { views: [view('jobs', { resourceKeys: [] })] });
    const lost: SdkLoss[] = [];
    const exporter = new InMemoryMetricExporter(
      temporality === 'delta' ? AggregationTemporality.DELTA : AggregationTemporality.CUMULATIVE,
    );
    const reader = new PeriodicExportingMetricReader({
      exporter,
      exportIntervalMillis: 3_600_000,
      metricProducers: [
        collector.metricProducer(temporality, {
          resources: 'point_attributes',
          onLoss: (loss) => lost.push(loss),
        }),
      ],
    });
    const provider = new MeterProvider({ readers: [reader] });
    t.teardown(() => provider.shutdown());
    const agents = await Promise.all(
      ['a', 'b'].map(async (memberId) => {
        const agent = new SyntheticAgent({ memberId, resource: { host: memberId } });
        t.teardown(() => agent.cut());
        await agent.connect(collector.addresses.grpc);
        agent.define([{ metric: counter('jobs'), epoch: 'e', beganUs: 1 }]);
        return agent;
      }),
    );
    const totals = [
      [3, 4],
      [10, 4],
      [11, 24],
    ];
    for (const round of totals) {
      await Promise.all(agents.map((agent, i) => agent.sums(round[i])));
      await provider.forceFlush();
    }
    const points = exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))
      .filter(({ descriptor }) => descriptor.name === 'jobs')
      .flatMap(({ aggregationTemporality, dataPoints }) =>
        dataPoints.map(({ value }) => [aggregationTemporality, value]),
      );
    const values = temporality === 'delta' ? [7, 7, 21] : [7, 14, 35];
    const expected =
      temporality === 'delta' ? AggregationTemporality.DELTA : AggregationTemporality.CUMULATIVE;
    t.deepEqual(
      points,
      values.map((value) => [expected, value]),
    );
    t.deepEqual(lost, []);
  });
}
