import { performance } from 'node:perf_hooks';
import { SessionCounters } from '../../collector/sessions/session-counters.ts';
import { memoryJournal } from '../../collector/sessions/session-journal.ts';
import { Sessions } from '../../collector/sessions/sessions.ts';
import { SessionsSnapshot } from '../../collector/sessions/snapshot/sessions-snapshot.ts';
import { SectionsLoading } from '../../otel/snapshot/load-sections.ts';
import type { SnapshotChunk } from '../../otel/snapshot/snapshot-chunk.ts';
import { SnapshotWriter } from '../../otel/snapshot/snapshot-writer.ts';
import { MetricStore } from '../../otel/state/metric-store.ts';
import { encodeAgentMessage } from '../../proto/messages/agent-message.ts';
import { StreamColumns } from '../../proto/report/stream-columns.ts';
import { encodeReport } from '../../proto/report/write-report.ts';
import type { Figures } from './main.ts';

export const summary = 'streams of 1 million series captured, written and loaded: [STREAMS]';

const allSeries = 1_000_000;
const birthUs = 1_700_000_000_000_000;
const metricCount = 20;

function emptySessions(store: MetricStore): Sessions {
  const limits = {
    maxMessageBytes: 2 ** 22,
    maxSeries: 100_000,
    maxAttributes: 128,
    maxAttributeBytes: 4096,
    maxStreams: 20_000,
    maxMembers: 100_000,
  };
  return new Sessions({
    store,
    counters: new SessionCounters(),
    limits,
    journal: memoryJournal(Buffer.alloc(16), Buffer.alloc(8)),
    stalenessMs: 300_000,
    evictionMs: 86_400_000,
    nowUs: () => birthUs,
    log: () => {},
  });
}

/** Streams that say the same, each of a member of its own: half sums, half gauges, in two sampling groups. */
function fill(sessions: Sessions, streams: number): void {
  const each = allSeries / streams;
  const messages: Buffer[] = [];
  const sender = new StreamColumns();
  for (let first = 0; first < each; first += 1000) {
    const count = Math.min(1000, each - first);
    const metrics = Array.from({ length: first === 0 ? metricCount : 0 }, (_, i) => ({
      number: i + 1,
      scope: 0,
      name: `metric.${i}`,
      unit: '1',
      description: '',
      kind: i % 2 === 0 ? ('sum' as const) : ('gauge' as const),
      isMonotonic: i % 2 === 0,
      valueType: 'int' as const,
      explicitBounds: [],
      quantiles: [],
      hasSum: false,
      hasMin: false,
      hasMax: false,
    }));
    const series = Array.from({ length: count }, (_, i) => {
      const number = first + i + 1;
      const metric = 1 + (number % metricCount);
      const group = number % 2;
      const kind = (metric - 1) % 2 === 0 ? ('sum' as const) : ('gauge' as const);
      sender.define({ number, group, kind });
      const attributes = [{ key: 'of', value: { intValue: String(number) } }];
      return { number, resource: 0, metric, attributes, group, epoch: 0, startTimeUs: 0 };
    });
    const define = { type: 'define', resources: [], scopes: [], metrics, epochs: [], series } as const;
    messages.push(encodeAgentMessage(define));
  }
  for (let report = 1; report <= 2; report++) {
    const states = [...sender.groups.values()].map(({ group, sums, gauges }) => ({
      group,
      timeUs: birthUs + report * 1_000_000,
      sums: sums.values.slice(0, sums.size).map((value, i) => value + (i % 7)),
      gauges: gauges.values.slice(0, gauges.size).map((value, i) => value + (i % 5) / 8),
    }));
    messages.push(Buffer.from(encodeReport(sender, states, report)));
  }
  for (let stream = 0; stream < streams; stream++) {
    const session = sessions.open({ address: `127.0.0.1:${stream}`, send() {}, end() {} });
    session.receive(
      encodeAgentMessage({
        type: 'hello',
        protocolVersion: 1,
        memberId: `member ${stream}`,
        incarnation: Buffer.alloc(16, stream),
        bootId: 'boot',
        resource: [{ key: 'service.instance.id', value: { stringValue: `member ${stream}` } }],
        resourceSchemaUrl: '',
        capabilities: [],
        clockUs: 0,
        lastAck: undefined,
        userAgent: 'bench',
        ackDelayMs: 60_000,
      }),
    );
    for (const message of messages) session.receive(message);
  }
}

/** Checks its own result: what was loaded is saved as the same bytes. */
export async function run([count = '1000']: readonly string[]): Promise<Figures> {
  const streams = Number(count);
  const store = new MetricStore(birthUs, () => {});
  const sessions = emptySessions(store);
  fill(sessions, streams);
  const snapshot = new SessionsSnapshot(sessions, store);
  const figures: Record<string, number> = { streams, series: store.seriesCount };
  const longestReserve = longestStep(snapshot.reserve());
  const takes = Array.from({ length: 8 }, () => timed(() => snapshot.take()));
  const chunks: SnapshotChunk[] = [];
  let longestWrite = 0;
  const writing = snapshot.write(new SnapshotWriter());
  const writeMs = timed(() => {
    for (;;) {
      const began = performance.now();
      const { value, done } = writing.next();
      longestWrite = Math.max(longestWrite, performance.now() - began);
      if (done) break;
      chunks.push({ ...value, bytes: Buffer.from(value.bytes) });
    }
  });
  const loaded = emptySessions(store);
  const loadMs = timed(() => {
    const loading = new SectionsLoading(new SessionsSnapshot(loaded, store).loaders);
    for (const chunk of chunks) loading.take(chunk);
    loading.end();
  });
  const again = new SessionsSnapshot(loaded, store);
  again.take();
  let i = 0;
  for (const { bytes } of again.write(new SnapshotWriter()))
    if (!Buffer.from(bytes).equals(chunks[i++]!.bytes))
      throw new Error(`chunk ${i - 1} is another one when loaded`);
  if (i !== chunks.length || loaded.size !== streams) throw new Error('not all was loaded');
  figures.longestReserveMs = longestReserve;
  figures.firstTakeMs = takes[0]!;
  figures.takeMs = takes.slice(1).sort((a, b) => a - b)[3]!;
  figures.writeMs = writeMs;
  figures.longestWriteMs = longestWrite;
  figures.loadMs = loadMs;
  figures.chunks = chunks.length;
  figures.bytesPerSeries = chunks.reduce((sum, { bytes }) => sum + bytes.length, 0) / figures.series!;
  for (const [name, value] of Object.entries(figures)) console.log(name.padEnd(18), value.toFixed(2));
  sessions.stop();
  loaded.stop();
  return figures;
}

function longestStep(steps: Iterator<void, void>): number {
  let longest = 0;
  for (;;) {
    const began = performance.now();
    if (steps.next().done) return longest;
    longest = Math.max(longest, performance.now() - began);
  }
}

function timed(act: () => void): number {
  const began = performance.now();
  act();
  return performance.now() - began;
}
