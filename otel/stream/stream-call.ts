/** What happens on a call, in this order: messages, then one end. Nothing is called after the end. */
export interface CallEvents {
  onMessage(bytes: Buffer): void;
  /** Everything written so far has been taken by the transport. */
  onWritable(): void;
  /** @param code the gRPC status code */
  onEnd(code: number, details: string): void;
}

/** One call of TelemetryStream/Connect: bytes in, bytes out. What has not been sent when it ends is sent anew, as state, on the next one. */
export interface StreamCall {
  /** Messages written that the transport has not taken yet. */
  readonly waiting: number;
  /** Nothing that was written still waits for the transport. */
  readonly writable: boolean;
  /** The peer's address, once there is one. */
  readonly peer: string;
  /** Writes a control message, compressed where that makes it shorter. */
  writeControl(bytes: Uint8Array): void;
  /** Writes a report. Its columns hold little that gzip could find, so it goes as it is. */
  writeReport(bytes: Uint8Array): void;
  /** No message follows; the collector may still send. */
  halfClose(): void;
  /** Ends the call from this side. `onEnd` follows with CANCELLED unless it has ended before. */
  cancel(): void;
}

/** Opens a call. Events come later, never while it is being opened. @throws StreamgaugeError `config` when a file of certificates or tokens cannot be used */
export type OpenCall = (events: CallEvents) => StreamCall;
