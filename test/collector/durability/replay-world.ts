import assert from 'node:assert/strict';
import { rulesText } from '../../../collector/durability/state-rules.ts';
import { Recovery } from '../../../collector/journal/recovery.ts';
import type { OtlpIntake } from '../../../collector/receivers/otlp/otlp-intake.ts';
import { batchesOf, type Collection, PointBatch } from '../../../otel/state/point-batch.ts';
import type { CollectorMessage } from '../../../proto/messages/collector-message.ts';
import { birthUs } from '../core.ts';
import { MemoryStorage } from '../journal/memory-storage.ts';
import { recordedLog } from '../journal/recorded-log.ts';
import type { DurableReader } from './durable-reader.ts';
import { DurableSide, type Restored, restore, type SideOptions } from './durable-side.ts';
import { recordsOf } from './records-of.ts';
import { type AgentSurroundings, ReplayAgent } from './replay-agent.ts';
import { replayRules } from './replay-rules.ts';
import { ReplaySender } from './replay-sender.ts';
import { agents, type ReplayStep, readers, senders } from './replay-steps.ts';
import { pictureOf, type StatePicture } from './state-picture.ts';

/** What was said by whom is in the journal up to here. */
interface Said {
  readonly agent: ReplayAgent;
  readonly report: number | undefined;
  readonly position: number;
}

/**
 * A collector over a storage in memory that is killed at any moment, agents and backends around it. Each time it comes back, its state is held against what
 * it was at the place where its journal was cut, and against a state that all records since the beginning were applied to, without a checkpoint.
 */
export class ReplayWorld {
  nowUs = birthUs;
  /** How often it came back, and how often over a checkpoint. */
  restarts = 0;
  restartsFromCheckpoint = 0;
  /** Of restarts, how many lost records that were not committed. */
  tailsLost = 0;
  readonly #agents: ReplayAgent[];
  #storage = new MemoryStorage();
  #side!: DurableSide;
  #otlp!: OtlpIntake;
  readonly #senders = Array.from({ length: senders }, (_, place) => new ReplaySender(place, birthUs));
  #rules = 0;
  #said: Said[] = [];
  /** Something that rests on all up to here has left the collector. */
  #letOut = 0;
  #checkpoint:
    | { done: Promise<unknown>; cancel: AbortController; allowed: number; isOver: boolean }
    | undefined;
  #proceed: (() => void) | undefined;
  /** What backends were sent, by reader, interval and request. */
  readonly #sent = new Map<string, string>();

  private constructor() {
    this.#agents = Array.from({ length: agents }, (_, place) => new ReplayAgent(place, this.#around()));
  }

  static async open(): Promise<ReplayWorld> {
    const world = new ReplayWorld();
    await world.#open();
    return world;
  }

  async take(step: ReplayStep): Promise<void> {
    this.nowUs += 1_000_000;
    const { state, sessions, recorder } = this.#side.opened;
    switch (step.do) {
      case 'wait':
        this.nowUs += step.seconds * 1_000_000;
        sessions.tick();
        if (state.expirePoints(state.clock.nowUs())) recorder.pointsExpired(state.clock.nowUs());
        state.outputs.sweep();
        break;
      case 'collect':
        this.#collect(this.#side.readers[step.reader]!);
        break;
      case 'deliver':
        this.#deliver(this.#side.readers[step.reader]!, step.isTaken);
        break;
      case 'rules': {
        const rules = replayRules[step.which % replayRules.length]!;
        const nowUs = state.clock.nowUs();
        if (!state.change(rules, sessions, nowUs)) break;
        recorder.rulesChanged(nowUs, rulesText(rules));
        this.#rules = step.which % replayRules.length;
        this.#otlp = state.otlp(sessions);
        break;
      }
      case 'configure reader': {
        if (!state.outputs.isFree) break;
        const { readers: all } = this.#side;
        const isAfresh = step.how !== 'again';
        const configured = step.how === 'all in another order' ? [...all].reverse() : [all[step.reader]!];
        if (isAfresh) for (const reader of configured) reader.remove();
        for (const reader of configured)
          reader.bindLive(state.outputs, recorder, () => recorder.committed(), isAfresh);
        break;
      }
      case 'send': {
        const nowUs = state.clock.nowUs();
        const bytes = this.#senders[step.sender]!.request(step, nowUs);
        this.#otlp.take(bytes, 'json', nowUs, undefined, () =>
          recorder.otlpReceived(nowUs, 'json', undefined, bytes),
        );
        break;
      }
      case 'checkpoint':
        this.#goOnWithCheckpoint(step.chunks);
        break;
      case 'give up checkpoint':
        this.#checkpoint?.cancel.abort();
        this.#goOnWithCheckpoint(1000);
        break;
      case 'turns':
        await turns(step.count);
        break;
      case 'restart':
        await this.#restart(step);
        break;
      default:
        this.#agents[step.agent]!.take(step);
    }
    await turns(1);
  }

  /** Lets go of everything, in order. */
  async end(): Promise<void> {
    await this.#restart({ do: 'restart', how: 'close', seed: 1, which: -1 });
    await this.#side.opened.durable.close();
    this.#side.abandon();
  }

  #around(): AgentSurroundings {
    const world = this;
    return {
      get nowUs() {
        return world.nowUs;
      },
      open: (peer) => this.#side.sessions.open(peer),
      said: (agent, report) => void this.#said.push({ agent, report, position: this.#side.journal.position }),
      heard: (message, agent) => this.#heard(message, agent),
    };
  }

  /** Nothing is told before what it rests on is committed. */
  #heard(message: CollectorMessage, agent: ReplayAgent): void {
    const { committedPosition } = this.#side.journal;
    this.#letOut = Math.max(this.#letOut, committedPosition);
    const { directoryId, term } = this.#side.opened.durable;
    if (message.type !== 'ack') return;
    const said = this.#said.findLast((one) => one.agent === agent && one.report === message.report);
    assert.ok(said !== undefined && said.position <= committedPosition, 'an Ack came before its commit');
    const journalPosition = message.position?.journalPosition ?? 0;
    assert.ok(journalPosition <= committedPosition, 'an Ack told of a place that is not committed');
    agent.lastAck = { directoryId, term, journalPosition };
  }

  #collect({ intervals, outputs, cursor }: DurableReader): void {
    if (intervals === undefined) {
      readAll(outputs.collect(cursor, this.nowUs));
      outputs.delivered(cursor);
    } else if (!intervals.isMaking) void intervals.collect(this.nowUs);
  }

  #deliver(reader: DurableReader, isTaken: boolean): void {
    const { intervals, name, outputs, cursor } = reader;
    const first = intervals?.first;
    if (first === undefined || !first.commit.isDone) return;
    const key = `${name} ${first.timeUs} ${first.requests.length}`;
    const bytes = Buffer.from(first.requests[0]!.bytes).toString('hex');
    assert.equal(this.#sent.get(key) ?? bytes, bytes, `the request ${key} is repeated with other bytes`);
    this.#sent.set(key, bytes);
    this.#letOut = Math.max(this.#letOut, this.#side.journal.committedPosition);
    if (!isTaken) return;
    intervals!.answered(true);
    if (intervals!.first === undefined && !intervals!.isMaking) outputs.delivered(cursor);
  }

  #goOnWithCheckpoint(chunks: number): void {
    if (this.#checkpoint === undefined || this.#checkpoint.isOver) {
      const cancel = new AbortController();
      const checkpoint = { done: Promise.resolve() as Promise<unknown>, cancel, allowed: 0, isOver: false };
      this.#checkpoint = checkpoint;
      checkpoint.done = this.#side.storage.checkpoint(cancel.signal).then(() => {
        checkpoint.isOver = true;
      });
    }
    this.#checkpoint.allowed += chunks;
    this.#proceed?.();
  }

  /** Chunks are asked for when a step lets them be. */
  #slowDown(side: DurableSide): void {
    const { durable } = side.opened;
    const write = durable.writeCheckpoint.bind(durable);
    durable.writeCheckpoint = (position, chunks, signal) => {
      const checkpoint = this.#checkpoint!;
      const world = this;
      return write(
        position,
        (async function* () {
          for await (const chunk of chunks) {
            while (checkpoint.allowed <= 0)
              await new Promise<void>((resolve) => {
                world.#proceed = resolve;
              });
            checkpoint.allowed--;
            yield chunk;
          }
        })(),
        signal,
      );
    };
  }

  async #restart({ how, seed, which }: Extract<ReplayStep, { do: 'restart' }>): Promise<void> {
    const before = this.#side;
    const random = randomOf(seed);
    if (how === 'close') {
      if (this.#checkpoint?.isOver === false) {
        this.#goOnWithCheckpoint(1000);
        await this.#checkpoint.done;
      }
      for (const { intervals } of before.readers) await intervals?.whenMade();
    }
    // What a checkpoint that was given up holds is let go of a little later.
    if (this.#checkpoint?.cancel.signal.aborted === true) await turns(20);
    const isPictured = this.#checkpoint === undefined || this.#checkpoint.isOver;
    const { position } = before.journal;
    const picture = isPictured
      ? pictureOf(before.state, before.sessions, before.readers, this.nowUs)
      : undefined;
    if (how === 'close') {
      const { uncommittedBytes } = await before.opened.durable.close();
      assert.equal(uncommittedBytes, 0);
    }
    this.#storage = how === 'power cut' ? this.#storage.cutPower(random) : this.#storage.kill(random);
    before.abandon();
    for (const agent of this.#agents) agent.disconnect();
    this.#checkpoint = undefined;
    this.#proceed = undefined;
    const after = await this.#compare(position, picture);
    if (how === 'close') assert.equal(after, position);
    this.#said = this.#said.filter((said) => said.position <= after);
    if (which >= 0) this.#rules = which % replayRules.length;
    else this.#rules = replayRules.findIndex((rules) => rulesText(rules) === rulesText(before.state.rules));
    await this.#open();
    this.restarts++;
  }

  /** Gives where the journal ends. */
  async #compare(livePosition: number, livePicture: StatePicture | undefined): Promise<number> {
    const files = this.#storage.files();
    const { restored, position, hasCheckpoint, writerId } = await this.#read(files);
    assert.ok(position >= this.#letOut, `${this.#letOut} was let out, and the journal ends at ${position}`);
    if (hasCheckpoint) this.restartsFromCheckpoint++;
    if (position < livePosition) this.tailsLost++;
    const found = this.#picture(restored);
    const all = recordsOf(new Map([...this.#storage.removed, ...files])).filter(
      (one) => one.position <= position,
    );
    assert.equal(all.at(-1)?.position ?? 0, position);
    const twin = await restore(this.#options, writerId, undefined, all);
    assert.deepEqual(found, this.#picture(twin), 'over a checkpoint it is not what it is without');
    if (livePicture !== undefined && position === livePosition)
      assert.deepEqual(found, livePicture, 'it is not what it was');
    return position;
  }

  #picture({ restoring, readers: restoredReaders }: Restored): StatePicture | undefined {
    if (restoring.restored === undefined) return undefined;
    const { state, sessions } = restoring.restored;
    state.clock.show(this.nowUs);
    return pictureOf(state, sessions, restoredReaders, this.nowUs);
  }

  async #read(files: ReadonlyMap<string, Buffer>) {
    const recovery = await Recovery.start(MemoryStorage.of(files), {
      log: recordedLog(),
      nowMs: this.nowUs / 1000,
    });
    const checkpoint = recovery.checkpoint;
    let position = checkpoint?.position ?? 0;
    const records = (async function* () {
      for await (const record of recovery.records()) {
        position = record.position;
        yield record;
      }
    })();
    const writerId = recovery.directoryId.toString('hex');
    const restored = await restore(this.#options, writerId, recovery.chunks(), records);
    assert.deepEqual(restored.bugs, []);
    await recovery.abandon();
    return { restored, position, hasCheckpoint: checkpoint !== undefined, writerId };
  }

  get #options(): SideOptions {
    const clock = {
      nowUs: () => this.nowUs,
      monotonicMs: () => this.nowUs / 1000,
      setTimeout: () => () => {},
    };
    return { clock, rules: replayRules[this.#rules]!, readers, journal: { segmentBytes: 16_384 } };
  }

  async #open(): Promise<void> {
    this.nowUs += 1_000_000;
    this.#side = await DurableSide.open(this.#storage, this.#options);
    const { report, watch } = this.#side.opened;
    assert.equal(watch.losses, 0, 'nothing was lost');
    assert.deepEqual(
      report.damages.filter(({ kind }) => kind !== 'torn'),
      [],
    );
    const { state, sessions } = this.#side;
    this.#otlp = state.otlp(sessions);
    this.#slowDown(this.#side);
    for (const { intervals } of this.#side.readers) void intervals?.resume();
  }
}

function readAll({ resources }: Collection): void {
  const batch = new PointBatch();
  for (const { scopes } of resources)
    for (const { streams } of scopes) for (const stream of streams) for (const _ of batchesOf(stream, batch));
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Numbers from 0 to 1 that follow from a seed. */
export function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5;
    return ((state ^ (state >>> 12)) >>> 0) / 2 ** 32;
  };
}
