import { agentViews } from '../../../../collector/collector-status.ts';
import type { Grant } from '../../../../collector/security/grant.ts';
import type { Session } from '../../../../collector/sessions/session.ts';
import type { SessionPeer } from '../../../../collector/sessions/session-host.ts';
import { memoryJournal } from '../../../../collector/sessions/session-journal.ts';
import { Sessions } from '../../../../collector/sessions/sessions.ts';
import type { PeerOf } from '../../../../collector/sessions/snapshot/sessions-part.ts';
import { SessionsSnapshot } from '../../../../collector/sessions/snapshot/sessions-snapshot.ts';
import { longestStalenessMs } from '../../../../collector/views/compile-views.ts';
import { SectionsLoading } from '../../../../otel/snapshot/load-sections.ts';
import type { SnapshotChunk } from '../../../../otel/snapshot/snapshot-chunk.ts';
import { SnapshotWriter } from '../../../../otel/snapshot/snapshot-writer.ts';
import type { MetricStore } from '../../../../otel/state/metric-store.ts';
import {
  type CollectorMessage,
  decodeCollectorMessage,
} from '../../../../proto/messages/collector-message.ts';
import { FakeStream } from '../../../model/fake-agent.ts';
import { Core } from '../../core.ts';
import { TearingWriter } from './tearing-writer.ts';

/** One side's end of a stream, and what it said. */
interface End {
  session: Session | undefined;
  readonly messages: CollectorMessage[];
  readonly ended: string[];
}

/** The chunks of all sections of some sessions, copied. */
export function sectionsOf(
  sessions: Sessions,
  store: MetricStore,
  writer = new SnapshotWriter(),
): SnapshotChunk[] {
  const snapshot = new SessionsSnapshot(sessions, store);
  snapshot.take();
  return [...copiesOf(snapshot.write(writer))];
}

export function* copiesOf(chunks: Iterable<SnapshotChunk>): Generator<SnapshotChunk, void> {
  for (const chunk of chunks) yield { ...chunk, bytes: Buffer.from(chunk.bytes) };
}

/** Loads them into sessions without a stream. */
export function loadSections(
  chunks: readonly SnapshotChunk[],
  sessions: Sessions,
  store: MetricStore,
  peerOf?: PeerOf,
): void {
  const snapshot = new SessionsSnapshot(sessions, store, peerOf);
  const loading = new SectionsLoading(snapshot.loaders);
  for (const chunk of chunks) loading.take(chunk);
  loading.end();
  snapshot.finish();
}

/** Two cores that are told the same. The second one's sessions can be replaced by what is loaded of the first one's. */
export class Twin {
  readonly cores: readonly [Core, Core];
  #sessions: Sessions;
  /** By the session's number, which both sides have alike. */
  readonly #ends: readonly [Map<number, End>, Map<number, End>] = [new Map(), new Map()];
  #peers = 0;
  readonly #stalenessMs: number;

  constructor(options: ConstructorParameters<typeof Core>[0] = {}) {
    this.cores = [new Core(options), new Core(options)];
    this.#stalenessMs = longestStalenessMs(options.views ?? [], 300_000);
    this.#sessions = this.cores[1].sessions;
  }

  get sessions(): readonly [Sessions, Sessions] {
    return [this.cores[0].sessions, this.#sessions];
  }

  /** Opens a stream on both. What its agent says is heard by both, and it hears what the first one says. */
  stream(grant?: Grant): { stream: FakeStream; each(act: (session: Session) => void): void } {
    const address = `127.0.0.1:${++this.#peers}`;
    let number = 0;
    const each = (act: (session: Session) => void) => {
      for (const ends of this.#ends) {
        const { session } = ends.get(number)!;
        if (session !== undefined) act(session);
      }
    };
    const stream = new FakeStream((peer) => {
      for (const [i, sessions] of this.sessions.entries()) {
        const end: End = { session: undefined, messages: [], ended: [] };
        const heard = i === 0 ? peer : undefined;
        end.session = sessions.open({ ...this.#peerOf(end, address, grant), ...told(end, heard) });
        number = end.session.number;
        this.#ends[i]!.set(number, end);
      }
      return { receive: (bytes: Buffer) => each((session) => session.receive(bytes)) } as Session;
    });
    return { stream, each };
  }

  /** The second side loads what the first one's sessions are now, and goes on with that. */
  restore(): void {
    const [first, second] = this.cores;
    const { store, counters, limits } = second;
    const chunks = sectionsOf(first.sessions, first.store, new TearingWriter());
    for (const end of this.#ends[1].values()) end.session = undefined;
    this.#sessions = new Sessions({
      store,
      counters,
      limits,
      journal: memoryJournal(Buffer.alloc(16), Buffer.alloc(8)),
      stalenessMs: this.#stalenessMs,
      evictionMs: 86_400_000,
      nowUs: () => second.nowUs,
      log: () => {},
    });
    loadSections(chunks, this.#sessions, store, (address, number, grant) =>
      this.#peerOf(this.#ends[1].get(number)!, address, grant),
    );
    for (const session of this.#sessions) this.#ends[1].get(session.number)!.session = session;
  }

  wait(seconds: number): void {
    for (const [i, core] of this.cores.entries()) {
      core.nowUs += seconds * 1_000_000;
      this.sessions[i]!.tick();
      core.outputs.sweep();
    }
  }

  /** All that can be seen of each side. */
  observed(): [unknown, unknown] {
    const seen = [0, 1].map((i) => {
      const core = this.cores[i]!;
      const sessions = this.sessions[i]!;
      const { mergeMs, maxMergeMs, sentBytes, acks, ...counters } = core.counters;
      return {
        agents: agentViews(sessions, core.outputs),
        streams: core.streams(),
        points: core.scrape(),
        counters,
        told: [...this.#ends[i]!].map(([number, { messages, ended }]) => [number, messages, ended]),
        lastNumber: sessions.lastNumber,
        saved: sectionsOf(sessions, core.store),
      };
    });
    return seen as [unknown, unknown];
  }

  stop(): void {
    for (const sessions of this.sessions) sessions.stop();
  }

  #peerOf(end: End, address: string, grant: Grant | undefined): SessionPeer {
    return { address, grant, ...told(end) };
  }
}

/** Acknowledgements are left out: when they come depends on the time of day, and a loaded session has told of all before it. */
function told(end: End, heard?: SessionPeer): Pick<SessionPeer, 'send' | 'end'> {
  return {
    send(bytes) {
      const message = decodeCollectorMessage(bytes);
      if (message.type === 'welcome') end.messages.push({ ...message, clockUs: 0 });
      else if (message.type !== 'ack') end.messages.push(message);
      heard?.send(bytes);
    },
    end(cause, message) {
      end.ended.push(cause, message);
      end.session = undefined;
      heard?.end(cause, message);
    },
  };
}
