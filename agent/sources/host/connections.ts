import { attributes } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import type { SeriesCells } from '../../state/series-cells.ts';
import type { Source } from '../source.ts';
import { sinceBoot } from './boot.ts';
import type { HostContext } from './host-context.ts';
import { hostProcess } from './host-namespace.ts';
import { KeyedLines } from './keyed-lines.ts';
import { ProcFile } from './proc-file.ts';
import { SeriesSet } from './series-set.ts';
import { type Scan, SlicedScan } from './sliced-scan.ts';

const connectionCount = metric({
  name: 'system.network.connection.count',
  unit: '{connection}',
  description: 'The number of connections.',
  kind: 'sum',
  valueType: 'int',
});

/** By the kernel's number, which /proc/net/tcp has in hexadecimal (include/net/tcp_states.h). 12 is a request not yet a connection. */
const states: readonly (string | undefined)[] = [
  undefined,
  'established',
  'syn_sent',
  'syn_received',
  'fin_wait_1',
  'fin_wait_2',
  'time_wait',
  'closed',
  'close_wait',
  'last_ack',
  'listen',
  'closing',
];
const newSynReceived = 12;
const synReceived = 3;

/** In the order of the wire, those that move first; UDP, which has no states, behind them. */
const order = [1, 6, 8, 3, 2, 4, 5, 9, 11, 7, 10];
const udp = order.length;

/** The kernel gives whole lines of 150 bytes, about a page of 4096 bytes at a time: less than this was the last. */
const lastPartBytes = 2048;

/**
 * system.network.connection.count by transport and state. TCP is counted from /proc/net/tcp and tcp6, the only places that tell
 * the states apart without netlink, which Node does not have. The kernel walks its whole hash table for them, so the cost is bounded
 * by {@link SlicedScan}. UDP sockets are counted by /proc/net/sockstat and sockstat6, at no cost.
 */
export class ConnectionsSource implements Source, Scan {
  readonly name = 'host.connections';
  readonly #context: HostContext;
  readonly #scan: SlicedScan;
  readonly #set: SeriesSet;
  readonly #tables: readonly ProcFile[];
  readonly #statistics: readonly (readonly [ProcFile, KeyedLines])[];
  readonly #counts = new Float64Array(states.length);
  #table = 0;
  #offset = 0;
  #readable = true;

  constructor(context: HostContext, group: SeriesCells) {
    this.#context = context;
    this.#scan = new SlicedScan(context.clock, this);
    const net = `${hostProcess(context.root)}/net`;
    const metrics = 'system.network.connection.count is';
    // Hosts without IPv6 have no files of it.
    this.#tables = [
      new ProcFile(context, `${net}/tcp`, `${metrics} (TCP)`),
      new ProcFile(context, `${net}/tcp6`, `${metrics} (TCP over IPv6)`, true),
    ];
    this.#statistics = [
      [new ProcFile(context, `${net}/sockstat`, `${metrics} (UDP)`), new KeyedLines(['UDP: inuse '])],
      [
        new ProcFile(context, `${net}/sockstat6`, `${metrics} (UDP over IPv6)`, true),
        new KeyedLines(['UDP6: inuse ']),
      ],
    ];
    const base = { scope: context.scope, metric: connectionCount, ...sinceBoot(context.boot) };
    this.#set = new SeriesSet(group, [
      ...order.map((state) => ({
        ...base,
        attributes: attributes({
          'network.connection.state': states[state],
          'network.transport': 'tcp',
        }),
      })),
      { ...base, attributes: attributes({ 'network.transport': 'udp' }) },
    ]);
  }

  collect(): void {
    let sockets = Number.NaN;
    for (const [file, lines] of this.#statistics) {
      if (!file.read()) continue;
      lines.read(this.#context.text);
      sockets = (Number.isNaN(sockets) ? 0 : sockets) + lines.values[0]!;
    }
    this.#set.put(udp, sockets);
    this.#scan.run();
  }

  begin(): void {
    this.#counts.fill(0);
    this.#table = 0;
    this.#offset = 0;
    this.#readable = false;
  }

  step(): boolean {
    const { text } = this.#context;
    let read = 0;
    const ok = this.#tables[this.#table]!.attempt((fd) => {
      read = text.fillPart(fd, this.#offset);
      // Even without connections there is the heading.
      if (read === 0 && this.#offset === 0) throw new Error('the file is empty');
    });
    if (ok) {
      this.#readable = true;
      this.#countPart();
      this.#offset += read;
    }
    if (ok && read >= lastPartBytes) return true;
    this.#table++;
    this.#offset = 0;
    return this.#table < this.#tables.length;
  }

  finish(): void {
    for (let i = 0; i < order.length; i++)
      this.#set.put(i, this.#readable ? this.#counts[order[i]!]! : Number.NaN);
  }

  /** `   0: 0100007F:1538 00000000:0000 0A …`: the fourth word is the state. The heading's, `st`, is no number. */
  #countPart(): void {
    const { text } = this.#context;
    for (; text.more; text.nextLine()) {
      for (let word = 0; word < 3; word++) {
        text.skipSpaces();
        text.skipWord();
      }
      text.skipSpaces();
      const state = hexDigit(text.bytes[text.at]!) * 16 + hexDigit(text.bytes[text.at + 1]!);
      if (state === newSynReceived) this.#counts[synReceived]!++;
      else if (state > 0 && state < states.length) this.#counts[state]!++;
    }
  }
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  if (code >= 65 && code <= 70) return code - 55;
  return Number.NaN;
}
