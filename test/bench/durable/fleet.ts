import type { Session } from '../../../collector/sessions/session.ts';
import type { Sessions } from '../../../collector/sessions/sessions.ts';
import { encodeAgentMessage } from '../../../proto/messages/agent-message.ts';
import { StreamColumns } from '../../../proto/report/stream-columns.ts';
import { encodeReport } from '../../../proto/report/write-report.ts';

export const seriesPerStream = 300;
const metricCount = 30;
/** Of the reports after the first two, each changes six values of ten. */
const patterns = 10;

/** What every host of a fleet says: the same metrics with the same attributes, two thirds sums and one third gauges. */
export class Fleet {
  readonly #sessions: Session[] = [];
  readonly #define: Buffer;
  readonly #reports: readonly Buffer[];
  #sent = 0;

  constructor() {
    const sender = new StreamColumns();
    const kindOf = (metric: number): 'sum' | 'gauge' => (metric % 3 === 0 ? 'gauge' : 'sum');
    const metrics = Array.from({ length: metricCount }, (_, i) => ({
      number: i + 1,
      scope: 0,
      name: `bench.metric.${i + 1}`,
      unit: 'By',
      description: '',
      kind: kindOf(i + 1),
      isMonotonic: kindOf(i + 1) === 'sum',
      valueType: 'int' as const,
      explicitBounds: [],
      quantiles: [],
      hasSum: false,
      hasMin: false,
      hasMax: false,
    }));
    const series = Array.from({ length: seriesPerStream }, (_, i) => {
      const number = i + 1;
      const metric = 1 + (i % metricCount);
      sender.define({ number, group: 0, kind: kindOf(metric) });
      const attributes = [
        { key: 'device', value: { stringValue: `device-${Math.floor(i / metricCount)}` } },
        { key: 'direction', value: { stringValue: i % 2 === 0 ? 'read' : 'write' } },
      ];
      return { number, resource: 0, metric, attributes, group: 0, epoch: 1, startTimeUs: 0, beganUs: 0 };
    });
    const epochs = [{ number: 1, token: Buffer.from('boot'), beganUs: -3_600_000_000 }];
    this.#define = encodeAgentMessage({ type: 'define', resources: [], scopes: [], metrics, epochs, series });
    const [group] = [...sender.groups.values()];
    const sums = Float64Array.from({ length: group!.sums.size }, (_, i) => 1000 + i);
    const gauges = Float64Array.from({ length: group!.gauges.size }, (_, i) => i);
    this.#reports = Array.from({ length: 2 + patterns }, (_, turn) => {
      for (let i = 0; i < sums.length; i++) if ((i * 7 + turn * 3) % 10 < 6) sums[i]! += 1 + (i % 40);
      for (let i = 0; i < gauges.length; i++) if ((i * 7 + turn * 3) % 10 < 6) gauges[i]! += (i % 5) - 2;
      const state = { group: 0, timeUs: 1_790_000_000_000_000 + turn * 1e6, sums, gauges };
      return Buffer.from(encodeReport(sender, [state], turn === 0 ? 1 : undefined));
    });
  }

  get streams(): number {
    return this.#sessions.length;
  }

  /** So many streams, with everything defined. Each waits a moment between turns. */
  async join(sessions: Sessions, streams: number, turn: () => Promise<void>): Promise<void> {
    for (let stream = 0; stream < streams; stream++) {
      const session = sessions.open({ address: `127.0.0.1:${stream}`, send() {}, end() {} });
      const incarnation = Buffer.alloc(16);
      incarnation.writeUInt32LE(stream);
      const id = `host-${stream}`;
      session.receive(
        encodeAgentMessage({
          type: 'hello',
          protocolVersion: 1,
          memberId: id,
          incarnation,
          bootId: 'boot',
          resource: [{ key: 'host.name', value: { stringValue: id } }],
          resourceSchemaUrl: '',
          capabilities: [],
          clockUs: 0,
          lastAck: undefined,
          userAgent: 'bench',
          ackDelayMs: 60_000,
        }),
      );
      session.receive(this.#define);
      this.#sessions.push(session);
      if (stream % 16 === 0) await turn();
    }
  }

  /** One report of every stream. */
  async report(turn: () => Promise<void>): Promise<void> {
    const at = this.#sent < 2 ? this.#sent : 2 + ((this.#sent - 2) % patterns);
    this.#sent++;
    for (const [i, session] of this.#sessions.entries()) {
      session.receive(this.#reports[at]!);
      if (i % 64 === 0) await turn();
    }
  }

  /** One report of the next stream, in turn. */
  reportOf(stream: number): void {
    if (stream === 0) this.#sent++;
    this.#sessions[stream]!.receive(this.#reports[2 + (this.#sent % patterns)]!);
  }
}
