import type { status } from '@grpc/grpc-js';

/** What the other side of a call does. */
export interface CallListener {
  /** A message, uncompressed. They come in order, none after `closed`. The bytes are the listener's own. */
  message(bytes: Buffer): void;
  /** The peer has half-closed: no message comes from here on. */
  halfClosed(): void;
  /** The call is over, whoever ended it. May be told more than once. */
  closed(): void;
}

/** One call of `TelemetryStream/Connect`, on the collector's side. */
export interface AgentCall {
  /** The peer's address and port, for logs. */
  readonly address: string;
  /** Lets messages come in. */
  listen(listener: CallListener): void;
  /** Sends a message. `onTaken` says that the transport has taken it: until then it waits in memory. */
  write(bytes: Buffer, onTaken: () => void): void;
  /** Ends the call with a status, after all that was written; nothing may be written then. A peer that does not let go of it is cut off after a while. */
  end(code: status, details: string): void;
  /**
   * Resets the HTTP/2 stream, so that the call ends whether or not the peer reads. The peer sees RESOURCE_EXHAUSTED, unless it has had
   * a status.
   */
  reset(): void;
}
