import type { StateRules } from '../../../collector/durability/state-rules.ts';
import { auditLedger } from '../../../otel/state/audit-ledger.ts';
import type { CollectorMessage } from '../../../proto/messages/collector-message.ts';
import type { Position } from '../../../proto/messages/position.ts';
import { initialSeries } from '../../model/catalogue.ts';
import { readPoints } from '../../model/read-points.ts';
import type { Shown } from '../../model/shown-points.ts';
import { birthUs } from '../core.ts';
import { MemoryStorage } from '../journal/memory-storage.ts';
import { DurableSide, type SideOptions } from './durable-side.ts';
import { type AgentSurroundings, ReplayAgent } from './replay-agent.ts';
import { replayRules } from './replay-rules.ts';
import { ReplaySender } from './replay-sender.ts';
import { readers } from './replay-steps.ts';

/** A collector over a storage in memory, with agents, and what it shows. */
export class DurableBench {
  nowUs = birthUs;
  storage = new MemoryStorage();
  side!: DurableSide;
  readonly heard: { agent: ReplayAgent; message: CollectorMessage }[] = [];
  readonly ends: string[] = [];
  readonly #options: Partial<SideOptions>;
  /** Their counters began before their first stream, and not again. */
  readonly #joined = new Set<ReplayAgent>();

  constructor(options: Partial<SideOptions> = {}) {
    this.#options = options;
  }

  static async open(options: Partial<SideOptions> = {}): Promise<DurableBench> {
    const bench = new DurableBench(options);
    await bench.open();
    return bench;
  }

  /** @param options in place of those it was made with */
  async open(options: Partial<SideOptions> = {}): Promise<void> {
    this.nowUs += 1_000_000;
    this.side = await DurableSide.open(this.storage, { ...this.options, ...options });
  }

  get options(): SideOptions {
    return {
      clock: { nowUs: () => this.nowUs, monotonicMs: () => this.nowUs / 1000, setTimeout: () => () => {} },
      rules: this.rules,
      readers,
      ...this.#options,
    };
  }

  get rules(): StateRules {
    return replayRules[0]!;
  }

  agent(place: number): ReplayAgent {
    const bench = this;
    const around: AgentSurroundings = {
      get nowUs() {
        return bench.nowUs;
      },
      open: (peer) =>
        this.side.sessions.open({
          ...peer,
          end: (cause, message) => {
            this.ends.push(cause);
            peer.end(cause, message);
          },
        }),
      heard: (message, agent) => this.heard.push({ agent, message }),
      said() {},
    };
    return new ReplayAgent(place, around);
  }

  /** The agent connects and reports all it has; how many seconds that took. */
  join(agent: ReplayAgent, seed = 7): void {
    const place = { agent: 0 };
    this.nowUs += 1_000_000;
    agent.take({ do: 'connect', ...place, isNewRun: false, isOtherBoot: false, region: 'r1' });
    agent.take({
      do: 'define',
      ...place,
      of: initialSeries,
      epoch: 'same',
      isSeen: !this.#joined.has(agent),
    });
    this.#joined.add(agent);
    this.report(agent, seed);
  }

  report(agent: ReplayAgent, seed: number): void {
    for (const group of [0, 1]) {
      this.nowUs += 1_000_000;
      agent.take({ do: 'report', agent: 0, group, seed, without: -1 });
    }
  }

  /** A service that sends OTLP: gives a function that sends a request each second, and gives how many jobs it has counted more. */
  sender(place: number): (seed: number, isDelta: boolean) => number {
    const sender = new ReplaySender(place, this.nowUs);
    return (seed, isDelta) => {
      this.nowUs += 1_000_000;
      const { state, sessions, recorder } = this.side.opened;
      const nowUs = state.clock.nowUs();
      const before = sender.count;
      const bytes = sender.request({ do: 'send', sender: place, seed, isDelta, isRestarted: false }, nowUs);
      state
        .otlp(sessions)
        .take(bytes, 'json', nowUs, undefined, () => recorder.otlpReceived(nowUs, 'json', undefined, bytes));
      return sender.count - before;
    };
  }

  /** Everything so far is committed; gives where that is. */
  async committed(): Promise<number> {
    const { journal } = this.side;
    await journal.committed(journal.position);
    return journal.position;
  }

  /** As an Ack of everything so far would tell. */
  place(): Position {
    const { directoryId, term, journal } = this.side.opened.durable;
    return { directoryId, term, journalPosition: journal.position };
  }

  async checkpoint(): Promise<boolean> {
    return this.side.storage.checkpoint(new AbortController().signal);
  }

  /** The process is gone; the storage is what it has written. */
  kill(files?: ReadonlyMap<string, Buffer>): void {
    const left = this.storage.kill();
    this.side.abandon();
    this.storage = files === undefined ? left : MemoryStorage.of(files);
  }

  /** The points that leave under this name, for cumulative readers. */
  shown(name: string): Shown[] {
    const { outputs } = this.side.state;
    const found = readPoints(outputs.collect(outputs.passerBy(), this.nowUs));
    return [...found].filter(([key]) => key.startsWith(`${name}|`)).flatMap(([, points]) => points);
  }

  /** Of a passing sum: its start and value, by series. */
  passing(name: string): Map<string, { startUs: number; value: number }> {
    const { outputs } = this.side.state;
    const found = readPoints(outputs.collect(outputs.passerBy(), this.nowUs));
    const points = [...found].filter(([key]) => key.startsWith(`${name}|`));
    return new Map(points.map(([key, [point]]) => [key, { startUs: point![0]!, value: point![3]! }]));
  }

  /** The one point of a merged sum: its start and value. */
  total(name: string): { startUs: number; value: number } {
    const [point] = this.shown(name);
    return { startUs: point?.[0] ?? 0, value: point?.[3] ?? 0 };
  }

  /** The books that do not add up. */
  unbalanced(): object[] {
    return [...auditLedger(this.side.state.store)].filter(({ isBalanced }) => !isBalanced);
  }

  async close(): Promise<void> {
    await this.side.opened.durable.close();
    this.side.abandon();
  }
}
