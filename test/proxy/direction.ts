import type { Socket } from 'node:net';

/** How much may wait to be handed on before the source is no longer read. */
const maxWaitingBytes = 1 << 20;

interface Waiting {
  readonly dueMs: number;
  /** `undefined`: the end of the source. */
  readonly chunk: Buffer | undefined;
}

/** How bytes are handed on. */
export interface Pace {
  /** So much later than they came. */
  readonly delayMs: number;
  /** Not faster than this. */
  readonly bytesPerSecond: number;
}

/** One direction of a proxied connection: what the source says, in order, delayed and held as asked, to the target. */
export class Direction {
  readonly #source: Socket;
  readonly #target: Socket;
  readonly #pace: () => Pace;
  readonly #queue: Waiting[] = [];
  #waitingBytes = 0;
  #lastDueMs = 0;
  #held = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param count is told of the payload as it is read from the source. */
  constructor(source: Socket, target: Socket, pace: () => Pace, count: (bytes: Buffer) => void) {
    this.#source = source;
    this.#target = target;
    this.#pace = pace;
    source.on('data', (chunk: Buffer) => {
      count(chunk);
      this.#waitingBytes += chunk.length;
      this.#add(chunk);
    });
    source.once('end', () => this.#add(undefined));
    target.on('drain', () => this.#pump());
  }

  set held(held: boolean) {
    this.#held = held;
    this.#pump();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#queue.length = 0;
  }

  #add(chunk: Buffer | undefined): void {
    // Never before what came earlier, should the delay have been shortened.
    const { delayMs, bytesPerSecond } = this.#pace();
    const earliestMs = Math.max(performance.now() + delayMs, this.#lastDueMs);
    const dueMs = earliestMs + ((chunk?.length ?? 0) * 1000) / bytesPerSecond;
    this.#lastDueMs = dueMs;
    this.#queue.push({ dueMs, chunk });
    this.#pump();
  }

  #pump(): void {
    clearTimeout(this.#timer);
    const now = performance.now();
    while (!this.#held && !this.#target.writableNeedDrain && (this.#queue[0]?.dueMs ?? Infinity) <= now) {
      const { chunk } = this.#queue.shift()!;
      if (chunk === undefined) {
        this.#target.end();
      } else {
        this.#waitingBytes -= chunk.length;
        this.#target.write(chunk);
      }
    }
    if (this.#held || this.#waitingBytes > maxWaitingBytes) this.#source.pause();
    else this.#source.resume();
    const next = this.#queue[0];
    if (next !== undefined && !this.#held && next.dueMs > now) {
      this.#timer = setTimeout(() => this.#pump(), Math.ceil(next.dueMs - now));
    }
  }
}
