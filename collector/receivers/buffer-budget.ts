import type { GrpcPortLimits } from '../config/limits-config.ts';
import type { AddressBook, AddressUse } from '../security/address-book.ts';
import type { StreamProblem } from './stream-limits.ts';

type BufferLimits = Pick<GrpcPortLimits, 'maxBufferedBytes' | 'maxBufferedBytesPerAddress'>;

/** So much of a stream is not counted, so that streams in order go on when others have used up what there is for all. */
const freeBytes = 64 * 1024;

/** What of all streams may wait in memory at one time. */
export class BufferBudget {
  readonly limits: BufferLimits;
  readonly #addresses: AddressBook;
  heldBytes = 0;

  constructor(limits: BufferLimits, addresses: AddressBook) {
    this.limits = limits;
    this.#addresses = addresses;
  }

  /** The share of one stream, which holds nothing yet. @param address as a socket gives it */
  share(address: string | undefined): BufferShare {
    return new BufferShare(this, this.#addresses.use(address, performance.now()));
  }
}

/** What one stream has waiting. */
export class BufferShare {
  readonly #budget: BufferBudget;
  readonly #use: AddressUse;
  #held = 0;

  constructor(budget: BufferBudget, use: AddressUse) {
    this.#budget = budget;
    this.#use = use;
  }

  /** Says how much it is now. Gives why it is too much; the stream is to be ended then, and to hold nothing. */
  hold(bytes: number): StreamProblem | undefined {
    const held = Math.max(0, bytes - freeBytes);
    const more = held - this.#held;
    if (more === 0) return undefined;
    const budget = this.#budget;
    const { maxBufferedBytes, maxBufferedBytesPerAddress } = budget.limits;
    if (more > 0 && this.#use.bufferedBytes + more > maxBufferedBytesPerAddress)
      return {
        cause: 'buffered_per_address',
        reason: `the streams of this address would have more than ${maxBufferedBytesPerAddress} bytes waiting (grpc.limits.max_buffered_bytes_per_address)`,
      };
    if (more > 0 && budget.heldBytes + more > maxBufferedBytes)
      return {
        cause: 'buffered',
        reason: `all streams would have more than ${maxBufferedBytes} bytes waiting (grpc.limits.max_buffered_bytes)`,
      };
    this.#held = held;
    this.#use.bufferedBytes += more;
    budget.heldBytes += more;
    return undefined;
  }
}
