import type { PeriodicReaderConfig } from '../otel/config/metric-readers.ts';
import { type DrainResult, keepsHistory, type PeriodicReaderChange } from '../otel/export/periodic-reader.ts';
import { defaultQueue } from '../otel/export/queue-limits.ts';
import { StreamgaugeError } from '../proto/error.ts';
import type { CollectorCore } from './collector-core.ts';
import type { CollectorConfig } from './config/collector-config.ts';
import type { KeptReader } from './durability/kept-intervals.ts';
import {
  bindReader,
  exporterFiles,
  isPush,
  type PushReader,
  pushReader,
  type ReaderSurroundings,
  readerSender,
} from './metric-readers.ts';

/** Readers that have been made beside those in use. */
export interface ReadersChange {
  /** Names of readers that go on to send as they did, but with what files of certificates hold now. */
  readonly withNewFiles: readonly string[];
  /** The new ones are in use, at a moment when nothing is read, and no checkpoint is open. Gives those that are not any more, which are to be let go of. */
  commit(core: CollectorCore): PushReader[];
  /** Everything is as it was. */
  undo(): Promise<void>;
}

/** A reader that goes on with other settings. */
interface InPlace {
  readonly reader: PushReader;
  readonly config: PeriodicReaderConfig;
  readonly sender: PushReader['sender'];
  readonly files: string;
}

/** The push readers of the configuration in force. */
export class PushReaders {
  readonly #surroundings: ReaderSurroundings;
  #readers: PushReader[];
  /** They are not in use any more, and deliver what they can. */
  readonly #former = new Set<PushReader>();

  /** @throws StreamgaugeError `config` when a certificate file cannot be read */
  constructor(config: CollectorConfig, surroundings: ReaderSurroundings) {
    this.#surroundings = surroundings;
    this.#readers = config.readers.filter(isPush).map((one) => pushReader(one, surroundings));
  }

  get all(): readonly PushReader[] {
    return this.#readers;
  }

  /** Those whose intervals may be kept over a restart. */
  get kept(): KeptReader[] {
    return this.#readers.flatMap(keptReader);
  }

  /** Gives them what they collect from. */
  bind(core: CollectorCore): void {
    for (const reader of this.#readers) bindReader(reader, core);
  }

  start(): void {
    for (const { reader } of this.#readers) reader.start();
  }

  /**
   * Makes what is to be there from now on. A reader of the same name and temporality goes on, with its queue, its books and its place in the outputs, whatever else of it
   * changes; one that is as it was, with its connection too.
   * @throws StreamgaugeError `config` when a certificate file cannot be read; then nothing has changed
   */
  change({ readers }: CollectorConfig): ReadersChange {
    const configs = readers.filter(isPush);
    const inPlace: InPlace[] = [];
    const next: PushReader[] = [];
    const made: PushReader[] = [];
    const { version } = this.#surroundings;
    const unused: PushReader['sender'][] = [];
    try {
      for (const config of configs) {
        const reader = this.#readers.find((one) => goesOn(one.config, config));
        if (reader === undefined) {
          const added = pushReader(config, this.#surroundings);
          made.push(added);
          next.push(added);
          continue;
        }
        const files = exporterFiles(config);
        const isSame = reader.files === files && isEqual(reader.config.exporter, config.exporter);
        const sender = isSame ? reader.sender : readerSender(config, version);
        if (!isSame) unused.push(sender);
        inPlace.push({ reader, config, sender, files });
        next.push(reader);
      }
    } catch (error) {
      for (const sender of unused) sender.close();
      for (const { reader } of made) void reader.stop();
      throw error;
    }
    return {
      withNewFiles: inPlace
        .filter(({ reader, config, files }) => isEqual(reader.config, config) && reader.files !== files)
        .map(({ config }) => config.name),
      commit: (core) => {
        for (const one of inPlace) goOn(one, core);
        const former = this.#readers.filter((reader) => !next.includes(reader));
        // One that takes another's name and temporality goes on where that one stands.
        const names = new Set(former.map(({ config }) => identityOf(config)));
        for (const reader of made) bindReader(reader, core, !names.has(identityOf(reader.config)));
        for (const reader of made) for (const kept of keptReader(reader)) core.intervals?.add(kept);
        this.#readers = next;
        for (const reader of former) this.#former.add(reader);
        for (const { reader } of made) reader.start();
        return former;
      },
      undo: async () => {
        for (const sender of unused) sender.close();
        for (const { reader, collection } of made) {
          await reader.stop();
          await collection.stop();
        }
      },
    };
  }

  /** Lets go of one that is not in use any more: it delivers what it can within the deadline, and then nobody knows of it. What it kept for later is lost. */
  async release(
    former: PushReader,
    core: CollectorCore,
    deadlineMs: number,
    atFreeMoment: (run: () => void) => Promise<unknown>,
  ): Promise<DrainResult> {
    const { reader, collection, cursor } = former;
    const drained = await reader.drain(deadlineMs);
    await reader.stop();
    const pointsUndelivered = drained.pointsUndelivered + reader.giveUp();
    await collection.stop();
    this.#former.delete(former);
    // Another one may have taken its place in the outputs.
    const isTaken = this.#readers.some(({ cursor: other }) => other === cursor);
    if (cursor !== undefined && !isTaken)
      await atFreeMoment(() => {
        core.intervals?.remove(reader.name, reader.intervals);
        core.state.outputs.removeReader(cursor);
      });
    return { ...drained, pointsUndelivered, pointsKept: 0 };
  }

  async stop(): Promise<void> {
    const readers = [...this.#readers, ...this.#former];
    await Promise.all(readers.map(({ reader }) => reader.stop()));
    await Promise.all(readers.map(({ collection }) => collection.stop()));
  }
}

function keptReader({ reader: { name, intervals }, collection }: PushReader): KeptReader[] {
  return intervals === undefined ? [] : [{ name, intervals, bind: collection.bind.bind(collection) }];
}

function identityOf({ name, exporter }: PeriodicReaderConfig): string {
  return `${exporter.temporality} ${name}`;
}

/** Whether the reader of one configuration may go on as that of another. */
function goesOn(before: PeriodicReaderConfig, after: PeriodicReaderConfig): boolean {
  if (identityOf(before) !== identityOf(after)) return false;
  // What it has encoded waits for an exporter of its kind.
  if ((before.exporter.kind === 'console') !== (after.exporter.kind === 'console'))
    throw new StreamgaugeError(
      'config',
      `The reader ${after.name} cannot go on with an exporter of another kind: give it another name.`,
    );
  return before.exporter.temporality === 'delta' || hasHistory(before) === hasHistory(after);
}

function hasHistory({ queue, exporter }: PeriodicReaderConfig): boolean {
  return keepsHistory(queue ?? defaultQueue[exporter.temporality]);
}

function goOn({ reader: pushed, config, sender, files }: InPlace, core: CollectorCore): void {
  const before = pushed.config;
  pushed.config = config;
  pushed.files = files;
  const isSame = pushed.sender === sender;
  pushed.sender = sender;
  if (isSame && isEqual(before, config)) return;
  const { intervalMs, timeoutMs, maxRequestBytes, queue, exporter } = config;
  const change: PeriodicReaderChange = {
    ...{ intervalMs, maxRequestBytes, queue, sender },
    exportTimeoutMs: timeoutMs,
    timeoutMs: exporter.kind === 'console' ? timeoutMs : exporter.timeoutMs,
  };
  pushed.reader.change(change);
  // What is journalled of its intervals is made again with the size of their requests.
  if (before.maxRequestBytes !== maxRequestBytes) bindReader(pushed, core);
}

function isEqual(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
