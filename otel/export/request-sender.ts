import type { PartialSuccess } from '../otlp/export-answer.ts';

/**
 * What became of a request. The one question between the failures is whether the same bytes may succeed later.
 */
export type SendResult =
  | {
      readonly kind: 'success';
      readonly partialSuccess?: PartialSuccess | undefined;
      /** The backend took the request and its answer could not be read. */
      readonly warning?: string | undefined;
    }
  | {
      readonly kind: 'retryable';
      readonly error: SendError;
      /** The server's own wish: not before this many milliseconds. */
      readonly delayMs?: number | undefined;
    }
  | { readonly kind: 'permanent'; readonly error: SendError };

/** Why a request failed: a sentence for people, without secrets. */
export class SendError extends Error {
  override readonly name = 'SendError';
  /** A gRPC status by name (`UNAVAILABLE`), an HTTP status (`503`) or a system error (`ECONNREFUSED`): few and stable, so that failures can be counted by it. */
  readonly code: string;

  constructor(message: string, code: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Sends encoded requests, one at a time or several, and says what became of each. */
export interface RequestSender {
  /**
   * Tries once. Resolves with a failure, soon after, when the signal is aborted; never rejects.
   * @param bytes an ExportMetricsServiceRequest, unchanged until the result is there
   */
  send(bytes: Uint8Array, signal: AbortSignal): Promise<SendResult>;
  /** Closes connections. Safe when repeated. */
  close(): void;
}
