import { type RequestSender, SendError, type SendResult } from '../../../otel/export/request-sender.ts';
import { decodeExportRequest } from '../../sinks/export-request.ts';
import { type ReceivedPoint, receivedPoints } from '../../sinks/received-points.ts';

export const ok: SendResult = { kind: 'success' };
export const unavailable: SendResult = { kind: 'retryable', error: new SendError('down', 'UNAVAILABLE') };
export const refused: SendResult = { kind: 'permanent', error: new SendError('never', 'INVALID_ARGUMENT') };

export function throttled(delayMs: number): SendResult {
  return { kind: 'retryable', error: new SendError('slow down', 'RESOURCE_EXHAUSTED'), delayMs };
}

type Answer = SendResult | 'hang' | Promise<SendResult>;

/** A sender that answers as told by a function of the request's number, and keeps what it was given. */
export class ScriptedSender implements RequestSender {
  answer: (request: number) => Answer;
  readonly sent: { bytes: Uint8Array; result: Answer }[] = [];
  isClosed = false;

  constructor(answer: (request: number) => Answer = () => ok) {
    this.answer = answer;
  }

  send(bytes: Uint8Array, signal: AbortSignal): Promise<SendResult> {
    const result = this.answer(this.sent.length);
    // They stay as they are only until the result is there.
    this.sent.push({ bytes: Buffer.from(bytes), result });
    if (result !== 'hang') return Promise.resolve(result);
    return new Promise((resolve) => {
      const end = (): void => resolve({ kind: 'retryable', error: new SendError('cancelled', 'CANCELLED') });
      signal.addEventListener('abort', end, { once: true });
    });
  }

  close(): void {
    this.isClosed = true;
  }

  /** The points of the requests that succeeded. */
  get delivered(): ReceivedPoint[] {
    const taken = this.sent.filter(
      ({ result }) => typeof result === 'object' && 'kind' in result && result.kind === 'success',
    );
    return receivedPoints(taken.map(({ bytes }) => decodeExportRequest(bytes)));
  }
}
