import { type Clock, systemClock } from '../../otel/clock.ts';
import { StreamgaugeError } from '../../proto/error.ts';
import { CommitWaiters } from './commit-waiters.ts';
import { frameHeaderBytes, maxRecordBytes, sealFrame } from './frame.ts';
import type { JournalLog } from './journal-log.ts';
import type { JournalOptions } from './journal-options.ts';
import type { JournalPlace } from './journal-place.ts';
import type { CloseResult, JournalStatus } from './journal-status.ts';
import { JournalTrouble } from './journal-trouble.ts';
import { type FrameGroup, PendingFrames, sealGroup } from './pending-frames.ts';
import { RetryDelay } from './retry-delay.ts';
import { segmentHeaderBytes } from './segment-header.ts';
import { SegmentWriter } from './segment-writer.ts';
import type { SyncPolicy } from './sync-policy.ts';

const defaultSegmentBytes = 32 * 2 ** 20;
const defaultMaxPendingBytes = 64 * 2 ** 20;
const maxGatherMs = 200;
const nothing = new Uint8Array(0);

/**
 * The journal as it is written. `append` copies a record and gives its position; a commit starts at once when none is running and takes
 * all that came meanwhile, in one write and (by the policy) one sync. When the disk fails, records are accepted up to the bound, nothing is
 * committed, and it is tried again until it works: the same bytes in the same place, or, after an error other than a full disk, in a
 * new segment. So no record is lost or comes twice. After a failed sync, Linux forgets that pages were not written; therefore all that was not synced
 * is written again before the next sync counts.
 */
export class Journal {
  readonly #place: JournalPlace;
  readonly #log: JournalLog;
  readonly #clock: Clock;
  readonly #sync: SyncPolicy;
  readonly #segmentBytes: number;
  readonly #maxPendingBytes: number;
  readonly #gatherMs: number;
  readonly #onCommit: JournalOptions['onCommit'];
  readonly #pending: PendingFrames;
  readonly #waiters = new CommitWaiters();
  readonly #draining: (() => void)[] = [];
  readonly #retry = new RetryDelay();
  readonly #trouble: JournalTrouble;
  #segment: SegmentWriter | undefined;
  #committed: number;
  #previous: number;
  #work: 'none' | 'scheduled' | 'running' | 'waiting' = 'none';
  #cancelRetry: (() => void) | undefined;
  #cancelSync: (() => void) | undefined;
  #syncing: Promise<void> | undefined;
  #syncFailed = false;
  #isClosed = false;
  #closing: Promise<boolean> | undefined;
  #idle: (() => void)[] = [];
  #commits = 0;
  #commitErrors = 0;
  #writtenBytes = 0;
  #refusedRecords = 0;

  constructor(place: JournalPlace, options: JournalOptions, log: JournalLog, clock: Clock = systemClock) {
    this.#place = place;
    this.#log = log;
    this.#clock = clock;
    this.#sync = options.sync ?? { mode: 'always' };
    this.#segmentBytes = Math.max(512, options.segmentBytes ?? defaultSegmentBytes);
    this.#maxPendingBytes = options.maxPendingBytes ?? defaultMaxPendingBytes;
    this.#gatherMs = Math.min(maxGatherMs, options.gatherMs ?? 0);
    this.#onCommit = options.onCommit;
    this.#pending = new PendingFrames(place.position, this.#segmentBytes - segmentHeaderBytes);
    this.#trouble = new JournalTrouble(place.storage.path, log, clock);
    this.#committed = place.position;
    this.#previous = place.previous;
  }

  /** Behind the last record that was appended. */
  get position(): number {
    return this.#pending.position;
  }

  /** All records up to here are committed. */
  get committedPosition(): number {
    return this.#committed;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether more than half of the bound is pending: who can wait, waits for {@link drained}. */
  get isCongested(): boolean {
    return this.#pending.bytes > this.#maxPendingBytes / 2;
  }

  /** Where the segment that is written to begins; what is before can be removed once a checkpoint covers it. */
  get activeSegment(): string | undefined {
    return this.#segment?.name;
  }

  get status(): JournalStatus {
    return {
      state: this.#isClosed ? 'closed' : this.#trouble.error === undefined ? 'open' : 'failing',
      error: this.#trouble.error,
      failingSinceMs: this.#trouble.sinceMs,
      position: this.#pending.position,
      committedPosition: this.#committed,
      pendingBytes: this.#pending.bytes,
      commits: this.#commits,
      commitErrors: this.#commitErrors,
      writtenBytes: this.#writtenBytes,
      refusedRecords: this.#refusedRecords,
    };
  }

  /**
   * Takes a record; the bytes are copied.
   *
   * @param type 0 to 255, for whoever reads it
   * @returns the position behind it, for {@link committed}
   * @throws StreamgaugeError `overloaded` when too much is pending; `invalid_data` when the record is too large; `cancelled` when the journal is closed
   */
  append(type: number, bytes: Uint8Array): number {
    return this.appendParts(type, nothing, bytes);
  }

  /** The same of two parts in a row. */
  appendParts(type: number, head: Uint8Array, bytes: Uint8Array): number {
    const length = head.length + bytes.length;
    if (this.#pending.bytes > 0 && this.#pending.bytes + length > this.#maxPendingBytes) {
      this.#refusedRecords++;
      throw new StreamgaugeError(
        'overloaded',
        `${this.#pending.bytes} bytes wait to be written to ${this.#place.storage.path}, and at most ${this.#maxPendingBytes} may${this.#trouble.error === undefined ? '' : `: ${this.#trouble.error.message}`}`,
        { retryDelayMs: 1000 },
      );
    }
    return this.#add(type, head, bytes);
  }

  /**
   * Takes a record however much is pending: for what was decided here and has happened already. It is small, and there is a bound on how many there are.
   * @throws StreamgaugeError `cancelled` when the journal is closed
   */
  appendDecision(type: number, bytes: Uint8Array): number {
    return this.#add(type, nothing, bytes);
  }

  /** Calls once all records up to the position are committed; at once when they are. Never called when the journal closes without that. */
  whenCommitted(position: number, run: () => void): void {
    if (position <= this.#committed) run();
    else this.#waiters.add(position, run);
  }

  /** Resolves once all records up to the position are committed. Never rejects; stays pending when the journal closes without that. */
  committed(position: number): Promise<void> {
    return new Promise((resolve) => this.whenCommitted(position, resolve));
  }

  /** Resolves when at most half of the bound is pending, or the journal is closed. */
  drained(): Promise<void> {
    if (!this.isCongested || this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => this.#draining.push(resolve));
  }

  /**
   * Commits what is pending, ends the journal in order and closes its segment. No record is taken from here on. Gives up at the deadline (in
   * milliseconds from now) when the disk does not take it. Never rejects; safe to repeat.
   */
  async close(deadlineMs = 10_000): Promise<CloseResult> {
    this.#closing ??= this.#close(deadlineMs);
    const isStuck = await this.#closing;
    const uncommittedBytes = this.#pending.position - this.#committed;
    return { uncommittedBytes, isStuck, error: uncommittedBytes > 0 ? this.#trouble.error : undefined };
  }

  async #close(deadlineMs: number): Promise<boolean> {
    this.#isClosed = true;
    this.#cancelSync?.();
    if (this.#work === 'waiting') this.#tryNow();
    await this.#untilIdle(this.#clock.monotonicMs() + deadlineMs);
    // A write that does not come to an end keeps its file.
    const isStuck = this.#work === 'running';
    if (!isStuck) await this.#end();
    for (const resolve of this.#draining.splice(0)) resolve();
    return isStuck;
  }

  #add(type: number, head: Uint8Array, bytes: Uint8Array): number {
    if (this.#isClosed) throw new StreamgaugeError('cancelled', 'the journal is closed');
    const length = head.length + bytes.length;
    if (length > maxRecordBytes)
      throw new StreamgaugeError(
        'invalid_data',
        `a record of ${length} bytes; the journal takes at most ${maxRecordBytes}`,
      );
    const position = this.#pending.add(type, head, bytes);
    if (this.#work === 'none') this.#schedule();
    return position;
  }

  #schedule(): void {
    this.#work = 'scheduled';
    const run = (): void => {
      this.#commitAll().catch((error: unknown) => this.#report(error));
    };
    if (this.#gatherMs > 0 && !this.#isClosed) this.#clock.setTimeout(run, this.#gatherMs);
    else setImmediate(run);
  }

  async #commitAll(): Promise<void> {
    if (this.#work === 'running') return;
    this.#work = 'running';
    for (;;) {
      const group = this.#pending.group();
      if (group === undefined) break;
      const beganMs = this.#clock.monotonicMs();
      try {
        await this.#write(group);
      } catch (thrown) {
        await this.#failed(thrown);
        return;
      }
      this.#done(group, this.#clock.monotonicMs() - beganMs);
      // What came meanwhile waits for more, too.
      if (this.#gatherMs > 0 && this.#pending.bytes > 0 && !this.#isClosed) {
        this.#schedule();
        return;
      }
    }
    this.#work = 'none';
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #write(group: FrameGroup): Promise<void> {
    if (this.#segment !== undefined && this.#segment.bytes + group.bytes > this.#segmentBytes) {
      const full = this.#segment;
      await this.#syncing;
      await full.sync();
      this.#segment = undefined;
      await full.finish();
    }
    this.#segment ??= await this.#newSegment(group.begin);
    const previous = sealGroup(group, this.#segment.salt, this.#previous, this.#committed);
    await this.#segment.append(group.frames, group.bytes, this.#sync.mode === 'always');
    this.#previous = previous;
  }

  #newSegment(firstPosition: number): Promise<SegmentWriter> {
    const { storage, directoryId, term, bornMs } = this.#place;
    const createdMs = Math.floor(this.#clock.nowUs() / 1000);
    const header = { directoryId, term, firstPosition, createdMs, bornMs, previous: this.#previous };
    return SegmentWriter.create(storage, header);
  }

  #done(group: FrameGroup, durationMs: number): void {
    const { bytes, records, end } = group;
    this.#pending.release();
    this.#committed = end;
    this.#commits++;
    this.#writtenBytes += bytes;
    this.#retry.reset();
    if (!this.#syncFailed) this.#trouble.end('the journal is written again, without a loss');
    if (this.#sync.mode === 'interval' && !this.#isClosed) this.#scheduleSync(this.#sync.intervalMs);
    this.#waiters.release(end, (error) => this.#report(error));
    if (!this.isCongested) for (const resolve of this.#draining.splice(0)) resolve();
    try {
      this.#onCommit?.({ bytes, records, durationMs });
    } catch (error) {
      this.#report(error);
    }
  }

  async #failed(thrown: unknown): Promise<void> {
    this.#commitErrors++;
    this.#trouble.begin(thrown);
    const { code } = thrown as NodeJS.ErrnoException;
    if (code !== 'ENOSPC' && code !== 'EDQUOT' && this.#segment !== undefined) {
      const bad = this.#segment;
      this.#segment = undefined;
      await this.#syncing;
      await bad.abandon();
    }
    this.#work = 'waiting';
    for (const resolve of this.#idle.splice(0)) resolve();
    this.#cancelRetry = this.#clock.setTimeout(() => this.#tryNow(), this.#retry.next());
  }

  #tryNow(): void {
    if (this.#work !== 'waiting') return;
    this.#cancelRetry?.();
    this.#schedule();
  }

  /** Policy `interval`: beside the commits, which do not wait for it. */
  #scheduleSync(delayMs: number): void {
    this.#cancelSync ??= this.#clock.setTimeout(() => {
      this.#cancelSync = undefined;
      const segment = this.#segment;
      if (segment === undefined || this.#isClosed) return;
      this.#syncing = segment.sync().then(
        () => this.#synced(),
        (error: unknown) => this.#notSynced(error),
      );
    }, delayMs);
  }

  #synced(): void {
    this.#syncing = undefined;
    if (!this.#syncFailed) return;
    this.#syncFailed = false;
    this.#trouble.end(
      'the journal is synced again; what was committed meanwhile may not have reached the disk',
    );
  }

  #notSynced(error: unknown): void {
    this.#syncing = undefined;
    this.#syncFailed = true;
    this.#commitErrors++;
    this.#trouble.begin(error);
    this.#scheduleSync(this.#retry.next());
  }

  async #untilIdle(end: number): Promise<void> {
    while (this.#pending.bytes > 0 || this.#work === 'running') {
      const leftMs = end - this.#clock.monotonicMs();
      if (leftMs <= 0) break;
      await new Promise<void>((resolve) => {
        const cancel = this.#clock.setTimeout(resolve, leftMs);
        this.#idle.push(() => {
          cancel();
          resolve();
        });
      });
    }
    this.#cancelRetry?.();
  }

  /** The last frame holds no record; it says that all before it was committed. */
  async #end(): Promise<void> {
    this.#work = 'running';
    await this.#syncing;
    const segment = this.#segment;
    this.#segment = undefined;
    if (segment === undefined) return;
    try {
      if (this.#pending.bytes > 0) {
        // A part of what is not committed may stand there.
        await segment.sync();
        await segment.abandon();
      } else {
        const frame = Buffer.alloc(frameHeaderBytes);
        const position = this.#committed;
        sealFrame(frame, { salt: segment.salt, previous: this.#previous, position, committed: position });
        await segment.append([frame], frame.length, false);
        await segment.finish();
      }
    } catch (error) {
      this.#log.warn({ err: error }, 'the journal could not be ended in order; what was committed holds');
      await segment.abandon();
    }
  }

  #report(error: unknown): void {
    this.#log.error({ err: error }, 'what waited for a commit failed; please report this');
  }
}
